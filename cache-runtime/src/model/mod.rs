//! The protocols under a model checker: every call and invalidation is the real one, and the checker
//! decides who runs when.
//!
//! The oracle. A source is a counter, bumped before each invalidation; the body returns what it
//! read of it. C1 is broken when a call returns less than the counter was when the last invalidation
//! that had returned before the call started was made.
//!
//! Each planted fault must be found: a checker that finds nothing proves nothing.

/// Tests that planted faults are found, and by what is said of them.
macro_rules! finds {
    ($($name:ident: $bug:ident, $said:literal;)*) => { $(
        #[test]
        fn $name() {
            let found = find(Some(Bug::$bug)).expect("the planted fault is found");
            assert!(found.contains($said), "{found}");
        }
    )* };
}

mod batches;
mod freshness;
mod versions;

use crate::clock::{Clock, Sleep};
use crate::planted::{Bug, plant};
use shuttle::sync::atomic::AtomicU64;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

const SCHEDULES: usize = 20_000;

/// One source behind one tag.
#[derive(Default)]
struct Source {
    value: AtomicU64,
    /// What `value` was at the last invalidation that has returned.
    acknowledged: AtomicU64,
}

/// Time stands still: nobody's patience runs out.
struct Frozen;

impl Clock for Frozen {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> Sleep {
        Box::pin(std::future::pending())
    }
}

std::thread_local! {
    // Where a schedule ends in a panic, what it takes down may end in others: this is the first.
    static VIOLATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Ends a schedule in which a promise was broken.
fn complain(violation: String) -> ! {
    VIOLATION.with(|it| it.replace(Some(violation.clone())));
    panic!("{violation}");
}

/// What the checker finds; nothing if every schedule it tries keeps the promises.
fn find_with(bug: Option<Bug>, run: impl FnOnce()) -> Option<String> {
    plant(bug);
    VIOLATION.take();
    let ended = catch_unwind(AssertUnwindSafe(run));
    plant(None);
    let said = |panic: Box<dyn std::any::Any + Send>| {
        let said = panic.downcast_ref::<String>().cloned();
        said.unwrap_or_else(|| "another panic".to_owned())
    };
    ended.err().map(|panic| VIOLATION.take().unwrap_or_else(|| said(panic)))
}
