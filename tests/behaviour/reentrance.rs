//! C7: what the cache runs of the user's (`Clone`, `Eq`, `Hash`, `Drop`, what options name) may call
//! cached functions, invalidate, and wait, as anything else may.
//!
//! Functions here keep few entries, so that all of them are neighbours.

use crate::support::{Calls, Running, Stage, fresh, in_a_process, run, until};
use larder::{blocking, cached};
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

/// Runs a check on a runtime of its own, and on the global one of a process of its own.
macro_rules! anywhere {
    ($check:expr) => {{
        in_a_process(|| run("the re-entrant calls", $check).ended());
        let (runtime, _) = fresh();
        run("the re-entrant calls", move || runtime.with($check)).ended();
    }};
}

/// A value that calls the function it came from when it is cloned.
#[derive(Debug, PartialEq)]
struct Curious(u64);

#[cached(capacity = 20)]
fn curious(id: u64) -> Curious {
    Curious(id)
}

impl Clone for Curious {
    fn clone(&self) -> Self {
        if self.0 > 0 {
            assert_eq!(curious(self.0 - 1), Self(self.0 - 1));
        }
        Self(self.0)
    }
}

#[test]
fn a_clone_may_call_the_function_its_value_came_from() {
    anywhere!(|| {
        for _ in 0..3 {
            assert_eq!(curious(5), Curious(5));
        }
    });
}

#[test]
fn a_clone_may_call_for_what_has_to_be_computed() {
    anywhere!(|| {
        curious(5);
        curious::invalidate(2).unwrap();
        for _ in 0..3 {
            assert_eq!(curious(5), Curious(5));
        }
    });
}

#[test]
fn a_clone_for_peek_may_call_for_what_has_to_be_computed() {
    anywhere!(|| {
        curious(5);
        curious::invalidate(4).unwrap();
        assert_eq!(curious::peek(5), Some(Curious(5)));
    });
}

#[test]
fn a_clone_may_call_while_others_store() {
    anywhere!(|| {
        curious(5);
        let ended = Arc::new(Calls::new());
        let threads: Vec<_> = (0..2)
            .map(|at| {
                let ended = Arc::clone(&ended);
                let calls = larder::inherit(async move {
                    for round in 0..2_000 {
                        assert_eq!(curious(5), Curious(5));
                        if at == 0 && round % 10 == 0 {
                            curious::invalidate(round % 5).unwrap();
                        }
                    }
                    ended.note();
                });
                run("a caller", || futures_lite::future::block_on(calls))
            })
            .collect();
        threads.into_iter().for_each(Running::ended);
        assert_eq!(ended.taken(), 2);
    });
}

/// A value that asks for statistics when it is cloned.
struct Counting(u64);

#[cached(capacity = 20)]
fn counting(id: u64) -> Counting {
    Counting(id)
}

impl Clone for Counting {
    fn clone(&self) -> Self {
        assert!(!larder::stats().functions.is_empty());
        assert!(counting::stats().name.ends_with("counting"));
        Self(self.0)
    }
}

#[test]
fn a_clone_may_ask_for_statistics() {
    anywhere!(|| {
        for _ in 0..3 {
            assert_eq!(counting(1).0, 1);
        }
        assert_eq!(counting::peek(1).map(|it| it.0), Some(1));
        assert_eq!(counting::stats().entries, 1);
        let caller = |at: u64| {
            let calls = larder::inherit(async move {
                for round in 0..60 {
                    assert_eq!(counting(1).0, 1);
                    if at == 0 {
                        counting::invalidate(round % 3).unwrap();
                        counting(round % 3);
                    }
                }
            });
            run("a caller", || futures_lite::future::block_on(calls))
        };
        [caller(0), caller(1)].into_iter().for_each(Running::ended);
    });
}

/// A value that invalidates when it is cloned.
struct Eager(u64);

#[cached(capacity = 20, tags("reentrance-eager:{id}"))]
fn eager(id: u64) -> Eager {
    Eager(id)
}

impl Clone for Eager {
    fn clone(&self) -> Self {
        blocking::invalidate_tag(format!("reentrance-eager:{}", self.0 + 1)).unwrap();
        Self(self.0)
    }
}

#[test]
fn a_clone_may_invalidate_a_tag() {
    anywhere!(|| {
        eager(2);
        for _ in 0..3 {
            assert_eq!(eager(1).0, 1);
        }
        assert!(eager::peek(2).is_none());
    });
}

/// A key that calls the function it is for when it is compared, and one when it is hashed.
#[derive(Clone, Debug)]
struct Inquisitive {
    id: u64,
    on_eq: bool,
    on_hash: bool,
}

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f` unless it is running already.
fn once_at_a_time(f: impl FnOnce()) {
    if !BUSY.replace(true) {
        f();
        BUSY.set(false);
    }
}

fn plain(id: u64) -> Inquisitive {
    Inquisitive { id, on_eq: false, on_hash: false }
}

#[cached(capacity = 20)]
fn inquired(key: &Inquisitive) -> u64 {
    key.id
}

impl PartialEq for Inquisitive {
    fn eq(&self, other: &Self) -> bool {
        if self.on_eq {
            once_at_a_time(|| {
                // One that is cached, and one that is not.
                assert_eq!(inquired(&plain(1_000)), 1_000);
                inquired::invalidate(&plain(1_001)).unwrap();
                assert_eq!(inquired(&plain(1_001)), 1_001);
            });
        }
        self.id == other.id
    }
}

impl Eq for Inquisitive {}

impl Hash for Inquisitive {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if self.on_hash {
            once_at_a_time(|| assert_eq!(inquired(&plain(self.id + 500)), self.id + 500));
        }
        self.id.hash(state);
    }
}

#[test]
fn a_comparison_may_call_the_function_its_key_is_for() {
    anywhere!(|| {
        inquired(&plain(1_000));
        let key = Inquisitive { on_eq: true, ..plain(1) };
        for _ in 0..3 {
            assert_eq!(inquired(&key), 1);
        }
        blocking::invalidate_function(inquired::stats().name).unwrap();
        for _ in 0..3 {
            assert_eq!(inquired(&key), 1);
        }
        inquired::invalidate(&key).unwrap();
        assert_eq!(inquired::peek(&key), None);
    });
}

#[test]
fn hashing_may_call_the_function_its_key_is_for() {
    anywhere!(|| {
        let key = Inquisitive { on_hash: true, ..plain(1) };
        for _ in 0..3 {
            assert_eq!(inquired(&key), 1);
        }
        assert_eq!(inquired::peek(&plain(501)), Some(501));
    });
}

/// A value that looks at its neighbours, computes one and invalidates when it is dropped.
struct Loud(u64);

static DROPPED: Calls = Calls::new();

fn by_id(value: &Loud) -> u64 {
    value.0
}

#[cached(capacity = 50, weigh = by_id, wait = "5s", key(id))]
fn loud(id: u64, stage: &Stage) -> Loud {
    stage.act();
    Loud(id)
}

impl Clone for Loud {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl Drop for Loud {
    fn drop(&mut self) {
        DROPPED.note();
        once_at_a_time(|| {
            drop(loud::peek(1));
            drop(loud(2, &Stage::open()));
            blocking::invalidate_tag("reentrance-loud").unwrap();
        });
    }
}

#[test]
fn a_value_dropped_for_want_of_room_may_call() {
    anywhere!(|| {
        (1..=50).for_each(|_| drop(loud(1, &Stage::open())));
        (2..45).for_each(|id| drop(loud(id, &Stage::open())));
        assert!(loud::stats().evictions_capacity > 0);
    });
}

#[test]
fn a_value_too_heavy_to_be_kept_may_call() {
    anywhere!(|| {
        drop(loud(51, &Stage::open()));
        assert_eq!(loud::stats().evictions_oversized, 1);
    });
}

#[test]
fn a_value_replaced_or_removed_may_call() {
    anywhere!(|| {
        drop(loud(3, &Stage::open()));
        loud::put(3, &Stage::open(), Loud(3));
        drop(loud::refresh(3, &Stage::open()));
        loud::invalidate(3).unwrap();
        drop(loud(3, &Stage::open()));
        loud::invalidate_all().unwrap();
        drop(loud(3, &Stage::open()));
        assert!(DROPPED.taken() > 0);
    });
}

#[test]
fn a_value_that_came_too_late_may_call() {
    let (runtime, clock) = fresh();
    let (stuck, passing) = (Arc::new(Stage::default()), Arc::new(Stage::open()));
    let start = |stage: &Arc<Stage>| {
        let (runtime, stage) = (runtime.clone(), Arc::clone(stage));
        run("a caller", move || runtime.with(|| drop(loud(4, &stage))))
    };
    let leader = start(&stuck);
    stuck.entered.wait("the leader's body");
    let follower = start(&passing);
    until("the follower to wait", || clock.sleepers() == 1);
    clock.advance(Duration::from_secs(5));
    follower.ended();
    stuck.leave.open();
    leader.ended();

    // And one whose key was invalidated meanwhile.
    let stuck = Arc::new(Stage::default());
    runtime.with(|| loud::invalidate(4).unwrap());
    let leader = start(&stuck);
    stuck.entered.wait("the leader's body");
    runtime.with(|| loud::invalidate(4).unwrap());
    stuck.leave.open();
    leader.ended();
}

#[test]
fn a_value_dropped_with_its_scope_may_call() {
    struct Last(u64);

    #[cached(capacity = 20, scope = "request")]
    fn last(id: u64) -> Last {
        Last(id)
    }

    impl Clone for Last {
        fn clone(&self) -> Self {
            Self(self.0)
        }
    }

    impl Drop for Last {
        fn drop(&mut self) {
            once_at_a_time(|| {
                drop(last(self.0 + 1));
                larder::request::with("reentrance-other", || drop(last(self.0 + 1)));
                blocking::invalidate_tag("reentrance-last").unwrap();
            });
        }
    }

    anywhere!(|| {
        for _ in 0..3 {
            larder::request::with("reentrance", || (0..10).for_each(|id| drop(last(id))));
        }
    });
}

#[test]
fn what_options_name_may_call() {
    fn again(value: &u64) -> bool {
        *value == 0 || asked(*value - 1) + 1 == *value
    }

    fn weight(value: &u64) -> u64 {
        asked(*value / 2).min(1)
    }

    fn tags(value: &u64) -> [String; 1] {
        [format!("reentrance-{}", asked(*value / 2))]
    }

    fn ttl(value: &u64) -> Option<Duration> {
        (asked(*value / 2) > 1_000).then_some(Duration::ZERO)
    }

    #[cached(capacity = 20, cache_if = again)]
    fn asked(id: u64) -> u64 {
        id
    }

    #[cached(capacity = 20, weigh = weight, tags_for = tags, ttl_for = ttl)]
    fn asks(id: u64) -> u64 {
        id
    }

    anywhere!(|| {
        for id in 0..10 {
            assert_eq!((asked(id), asked(id), asks(id), asks(id)), (id, id, id, id));
        }
    });
}
