//! V7, the rest: the earliest expiry wins, dependencies are found along everything a future does,
//! and there is a bound to them.

use crate::support::{
    Calls, Gate, Stage, everywhere, everywhere_alone, everywhere_async, fresh, run, until,
};
use larder::{blocking, cached};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[cached(ttl = "10s", when = !pass)]
fn short(id: u64, pass: bool) -> u64 {
    id
}

#[test]
fn a_value_is_fresh_no_longer_than_what_it_was_computed_from() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "1h")]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        short(id, false)
    }

    #[cached]
    fn outermost(id: u64) -> u64 {
        outer(id)
    }

    everywhere_alone(|clock| {
        let ran = || (outermost(1), CALLS.taken()).1;
        short(1, false);
        clock.advance(8 * SECOND);
        assert_eq!(ran(), 1);
        clock.advance(SECOND);
        assert_eq!(ran(), 0, "the callee is 9 s old");
        clock.advance(SECOND);
        assert_eq!(ran(), 1, "the callee has expired");
        clock.advance(9 * SECOND);
        assert_eq!(ran(), 0);
        clock.advance(SECOND);
        assert_eq!(ran(), 1);
    });
}

#[test]
fn a_value_s_own_time_to_live_wins_if_it_is_shorter() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "3s")]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        short(id, false)
    }

    everywhere_alone(|clock| {
        let ran = || (outer(2), CALLS.taken()).1;
        assert_eq!(ran(), 1);
        clock.advance(2 * SECOND);
        assert_eq!(ran(), 0);
        clock.advance(SECOND);
        assert_eq!(ran(), 1);
    });
}

#[test]
fn a_joined_value_brings_its_expiry_along() {
    #[cached(ttl = "10s", skip(stage))]
    fn joined(stage: &Stage) -> u64 {
        stage.act()
    }

    #[cached(skip(stage))]
    fn outer(stage: &Stage) -> u64 {
        joined(stage)
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let start = |call: fn(&Stage) -> u64| {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || runtime.with(|| call(&stage)))
    };
    let leader = start(joined);
    stage.entered.wait("the leader's body");
    let outside = start(outer);
    until("the caller to join", || clock.sleepers() == 1);
    stage.leave.open();
    assert_eq!((leader.ended(), outside.ended()), (1, 1));
    runtime.with(|| {
        clock.advance(9 * SECOND);
        assert_eq!(outer(&stage), 1);
        clock.advance(SECOND);
        assert_eq!(outer(&stage), 2);
    });
}

#[test]
fn a_value_computed_without_the_cache_lives_no_longer_than_a_cached_one() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn outer(id: u64, pass: bool) -> u64 {
        CALLS.note();
        if pass { short(id, true) } else { short::uncached(id, false) }
    }

    everywhere_alone(|clock| {
        for pass in [false, true] {
            let ran = || (outer(3, pass), CALLS.taken()).1;
            assert_eq!(ran(), 1);
            clock.advance(9 * SECOND);
            assert_eq!(ran(), 0);
            clock.advance(SECOND);
            assert_eq!(ran(), 1, "bypassed: {pass}");
        }
    });
}

#[cached(tags("found:{name}"))]
async fn leaf(name: &str) -> usize {
    tokio::task::yield_now().await;
    name.len()
}

/// Checks that a tag's invalidation reaches a function, or that it does not.
async fn depends(calls: &Calls, outer: impl AsyncFn(), tag: &str) -> bool {
    outer().await;
    calls.taken();
    outer().await;
    assert_eq!(calls.taken(), 0, "it is kept until then");
    larder::invalidate_tag(tag).await.unwrap();
    outer().await;
    calls.taken() > 0
}

#[test]
fn dependencies_are_found_along_join() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn outer() -> usize {
        CALLS.note();
        let (one, other) = tokio::join!(leaf("join-1"), leaf("join-2"));
        one + other
    }

    everywhere_async(|| async {
        let call = async || assert!(outer().await > 0);
        assert!(depends(&CALLS, call, "found:join-1").await);
        assert!(depends(&CALLS, call, "found:join-2").await);
        assert!(!depends(&CALLS, call, "found:join-3").await);
    });
}

#[test]
fn dependencies_are_found_along_select() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn outer() -> usize {
        CALLS.note();
        tokio::select! {
            it = leaf("select-1") => it,
            () = std::future::pending() => 0,
        }
    }

    everywhere_async(|| async {
        let call = async || assert!(outer().await > 0);
        assert!(depends(&CALLS, call, "found:select-1").await);
    });
}

#[test]
fn dependencies_are_found_along_a_task_spawned_with_inherit() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn outer() -> usize {
        CALLS.note();
        tokio::spawn(larder::inherit(async { leaf("spawn-1").await })).await.unwrap()
    }

    everywhere_async(|| async {
        let call = async || assert!(outer().await > 0);
        assert!(depends(&CALLS, call, "found:spawn-1").await);
    });
}

#[test]
fn dependencies_are_not_found_along_a_task_spawned_without_inherit() {
    static CALLS: Calls = Calls::new();

    #[cached]
    async fn outer() -> usize {
        CALLS.note();
        tokio::spawn(async { leaf("spawn-2").await }).await.unwrap()
    }

    everywhere_async(|| async {
        let call = async || assert!(outer().await > 0);
        assert!(!depends(&CALLS, call, "found:spawn-2").await);
    });
}

#[test]
fn dependencies_are_found_along_a_thread_with_inherit() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("found-thread:{id}"))]
    fn leaf(id: u64) -> u64 {
        id
    }

    #[cached]
    fn outer() -> u64 {
        CALLS.note();
        let call = larder::inherit(async { leaf(1) });
        run("a thread of the body", || futures_lite::future::block_on(call)).ended()
    }

    everywhere(|| {
        outer();
        CALLS.taken();
        blocking::invalidate_tag("found-thread:1").unwrap();
        outer();
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn dependencies_are_found_from_sync_in_async_and_across_an_await() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("found-sync:{id}"))]
    fn sync_leaf(id: u64) -> u64 {
        id
    }

    #[cached]
    async fn outer() -> u64 {
        CALLS.note();
        tokio::task::yield_now().await;
        let before = sync_leaf(1);
        leaf("across-1").await;
        tokio::task::yield_now().await;
        before + sync_leaf(2)
    }

    everywhere_async(|| async {
        let call = async || assert!(outer().await > 0);
        for tag in ["found-sync:1", "found:across-1", "found-sync:2"] {
            assert!(depends(&CALLS, call, tag).await, "{tag}");
        }
    });
}

#[test]
fn computations_interleaved_on_one_thread_keep_their_dependencies_apart() {
    static CALLS: Calls = Calls::new();

    #[cached(key(name), tags("own:{name}"))]
    async fn outer(name: &str, gate: &Gate) -> usize {
        CALLS.note();
        gate.passed().await;
        leaf(name).await
    }

    everywhere_async(|| async {
        let gate = Gate::default();
        let both = async { tokio::join!(outer("apart-1", &gate), outer("apart-2", &gate)) };
        let open = async {
            tokio::task::yield_now().await;
            gate.open();
        };
        tokio::join!(both, open);
        CALLS.taken();
        larder::invalidate_tag("found:apart-1").await.unwrap();
        outer("apart-2", &gate).await;
        assert_eq!(CALLS.taken(), 0);
        outer("apart-1", &gate).await;
        assert_eq!(CALLS.taken(), 1);
    });
}

/// Whether a function that is given so much to depend on is kept.
fn kept(calls: &Calls, call: impl Fn(u64) -> u64, size: u64) -> bool {
    assert_eq!(call(size), size);
    calls.taken();
    assert_eq!(call(size), size);
    calls.taken() == 0
}

#[test]
fn beyond_a_bound_of_names_a_value_is_returned_and_not_kept() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn tagged(names: u64) -> u64 {
        CALLS.note();
        (0..names).for_each(|name| larder::tag(format!("bound:{name}")));
        names
    }

    #[cached]
    fn around(names: u64) -> u64 {
        CALLS.note();
        tagged(names)
    }

    everywhere(|| {
        let before = tagged::stats().bypasses_dependencies;
        assert!(kept(&CALLS, tagged, 4_000));
        assert!(kept(&CALLS, around, 4_000));
        assert_eq!(tagged::stats().bypasses_dependencies, before);
        assert!(!kept(&CALLS, tagged, 5_000));
        assert_eq!(tagged::stats().bypasses_dependencies, before + 2);
        assert!(!kept(&CALLS, around, 5_000));
        assert_eq!(around::stats().bypasses_dependencies, 2);
        tagged::invalidate_all().unwrap();
        around::invalidate_all().unwrap();
    });
}

#[test]
fn tags_of_the_value_count_too() {
    static CALLS: Calls = Calls::new();

    fn tags(names: &u64) -> Vec<String> {
        (0..*names).map(|name| format!("bound-value:{name}")).collect()
    }

    #[cached(tags_for = tags)]
    fn tagged(names: u64) -> u64 {
        CALLS.note();
        names
    }

    everywhere(|| {
        assert!(kept(&CALLS, tagged, 4_000));
        assert!(!kept(&CALLS, tagged, 5_000));
    });
}

#[test]
fn a_caller_of_many_callees_is_kept_as_long_as_their_names_are_within_the_bound() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("bound-part:{id}"))]
    fn part(id: u64) -> u64 {
        id
    }

    #[cached]
    fn sum(parts: u64) -> u64 {
        CALLS.note();
        (0..parts).map(|id| part(id).min(1)).sum::<u64>() + 1
    }

    everywhere(|| {
        assert!(kept(&CALLS, sum, 800));
        assert!(kept(&CALLS, sum, 1_500), "a key and a tag each, and one function");
        assert!(!kept(&CALLS, sum, 5_000));
        CALLS.taken();
        blocking::invalidate_tag("bound-part:1").unwrap();
        sum(800);
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn a_callee_called_again_and_again_counts_once() {
    static CALLS: Calls = Calls::new();

    #[cached(tags("bound-again:{id}"))]
    fn part(id: u64) -> u64 {
        id
    }

    #[cached]
    fn sum(times: u64) -> u64 {
        CALLS.note();
        (0..times).map(|_| part(1)).sum()
    }

    everywhere(|| assert!(kept(&CALLS, sum, 10_000)));
}

#[test]
fn what_depends_on_too_much_is_not_handed_out_after_an_invalidation_either() {
    #[cached(skip(stage))]
    fn tagged(stage: &Stage) -> u64 {
        (0..5_000).for_each(|name| larder::tag(format!("bound-joined:{name}")));
        stage.act()
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let start = || {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || runtime.with(|| tagged(&stage)))
    };
    let leader = start();
    stage.entered.wait("the leader's body");
    runtime.with(|| blocking::invalidate_tag("bound-joined:4999").unwrap());
    let follower = start();
    until("the follower to wait", || clock.sleepers() == 1);
    stage.leave.open();
    assert_eq!((leader.ended(), follower.ended()), (1, 2));
}
