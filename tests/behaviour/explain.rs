//! `explain`: what a call would do now, and why, without doing it.

use crate::support::{Stage, fresh, run};
use larder::{Cause, Level, State, blocking, cached};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[cached(ttl = "10s", stale = "20s", grace = "1h", tags("explained:{key}"), skip(stage))]
fn number(key: u8, stage: &Stage) -> u64 {
    u64::from(key) + stage.act()
}

#[test]
fn a_value_after_its_time_is_stale_then_in_grace_then_gone() {
    let (runtime, clock) = fresh();
    runtime.with(|| {
        number(1, &Stage::open());
        clock.advance(12 * SECOND);
        let explained = number::explain(1);
        let stale = State::Stale { age: 12 * SECOND, left: 18 * SECOND, is_computed: false };
        assert_eq!(explained.state, stale);
        assert!(
            explained.to_string().contains("would be computed: its entry is stale, 12.0s old"),
            "{explained}"
        );
        clock.advance(20 * SECOND);
        let explained = number::explain(1);
        let grace = State::Grace { age: 32 * SECOND, left: 3_578 * SECOND, retry: None };
        assert_eq!(explained.state, grace);
        assert!(explained.to_string().contains("is served if that fails"), "{explained}");
        clock.advance(3_600 * SECOND);
        assert!(
            number::explain(1).to_string().ends_with("would be computed: its entry has expired")
        );
        assert_eq!(number::stats().computations, 1);
    });
}

#[test]
fn a_stale_value_is_said_to_be_served_while_another_call_computes() {
    let (runtime, clock) = fresh();
    runtime.with(|| number(1, &Stage::open()));
    clock.advance(12 * SECOND);
    let stage = Arc::new(Stage::default());
    let (inside, other) = (runtime.clone(), Arc::clone(&stage));
    let computing = run("the computation", move || inside.with(|| number(1, &other)));
    stage.entered.wait("the body");
    let explained = runtime.with(|| number::explain(1));
    let stale = State::Stale { age: 12 * SECOND, left: 18 * SECOND, is_computed: true };
    assert_eq!(explained.state, stale);
    assert!(explained.to_string().contains("would be served stale"), "{explained}");
    stage.leave.open();
    computing.ended();
}

#[test]
fn after_a_failure_it_says_when_the_next_attempt_is_due() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(ttl = "10s", grace = "1h")]
    fn fragile() -> Result<u64, String> {
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(7) }
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        fragile().unwrap();
        FAILS.store(true, SeqCst);
        clock.advance(10 * SECOND);
        assert_eq!(fragile(), Ok(7));
        let explained = fragile::explain();
        let grace = State::Grace { age: 10 * SECOND, left: 3_600 * SECOND, retry: Some(SECOND) };
        assert_eq!(explained.state, grace);
        assert!(explained.to_string().contains("tried again in 1.0s"), "{explained}");
    });
}

#[test]
fn what_was_invalidated_is_said_to_be_by_what() {
    #[cached(tags("explained: inner"))]
    fn inner() -> u64 {
        1
    }

    #[cached(tags("explained: outer"))]
    fn outer() -> u64 {
        inner() + 1
    }

    fresh().0.with(|| {
        let after = |invalidate: &dyn Fn()| {
            outer();
            assert_eq!(outer::explain().cause, None);
            invalidate();
            let explained = outer::explain();
            assert!(explained.to_string().contains("has been invalidated, "), "{explained}");
            explained.cause.expect("it was invalidated")
        };
        assert_eq!(after(&|| outer::invalidate_all().unwrap()), Cause::Function);
        assert_eq!(after(&|| blocking::invalidate_tag("explained: outer").unwrap()), Cause::Tag);
        assert_eq!(after(&|| inner::invalidate().unwrap()), Cause::Other);
        assert_eq!(after(&|| blocking::invalidate_all().unwrap()), Cause::Other);
        outer();
        outer::invalidate().unwrap();
        assert!(
            outer::explain().to_string().ends_with("there is no entry"),
            "its memory is given back"
        );
        let tiers: Vec<_> = outer::explain().tiers.iter().map(|it| it.tier).collect();
        assert_eq!(tiers, [Level::L1]);
    });
}
