//! V6: a joiner takes what a computation in flight finds only if that is valid for the moment the
//! joiner arrived, over all dependencies, those found included. Refused, it computes for itself.

use crate::support::{Running, Stage, block_on, fresh, run, until, until_async};
use larder::{Runtime, blocking, cached};
use std::sync::Arc;

type Outcome = Result<u64, String>;

fn value_tags(_: &Outcome) -> [&'static str; 1] {
    ["joining-value"]
}

/// Even calls succeed, odd ones fail, so that both an `Err` and an `Ok` can be overtaken.
#[cached(
    key = "joining:{fails}",
    tags("joining-a", "joining-b"),
    tags_for = value_tags,
    name = "joining"
)]
fn slow(fails: bool, stage: &Stage) -> Outcome {
    larder::tag("joining-found");
    let call = stage.act();
    if fails && call == 1 { Err("overtaken".to_owned()) } else { Ok(call) }
}

fn start(runtime: &Runtime, fails: bool, stage: &Arc<Stage>) -> Running<Outcome> {
    let (runtime, stage) = (runtime.clone(), Arc::clone(stage));
    run("a caller", move || runtime.with(|| slow(fails, &stage)))
}

/// Invalidations that name something known before the body runs.
const KNOWN: [(&str, fn()); 6] = [
    ("key", || {
        slow::invalidate(false).unwrap();
        slow::invalidate(true).unwrap();
    }),
    ("tag", || blocking::invalidate_tag("joining-a").unwrap()),
    ("any tag", || blocking::invalidate_tags(["joining-x", "joining-b"]).unwrap()),
    ("function", || blocking::invalidate_function("joining").unwrap()),
    ("companion", || slow::invalidate_all().unwrap()),
    ("put and forgotten", || {
        for fails in [false, true] {
            slow::put(fails, &Stage::open(), Ok(0));
            slow::invalidate(fails).unwrap();
        }
    }),
];

/// Invalidations that are seen to concern the computation only when it has ended.
const FOUND: [(&str, fn()); 5] = [
    ("tag of the body", || blocking::invalidate_tag("joining-found").unwrap()),
    ("tag of the value", || blocking::invalidate_tag("joining-value").unwrap()),
    ("all tags", || {
        blocking::invalidate_tagged_with_all(["joining-a", "joining-found"]).unwrap();
    }),
    ("pattern", || blocking::invalidate_pattern("joining:*").unwrap()),
    ("everything", || blocking::invalidate_all().unwrap()),
];

#[test]
fn a_joiner_after_an_invalidation_does_not_even_wait_for_what_it_overtook() {
    for (name, invalidate) in KNOWN {
        for fails in [false, true] {
            let (runtime, clock) = fresh();
            let stage = Arc::new(Stage::default());
            let leader = start(&runtime, fails, &stage);
            stage.entered.wait("the leader's body");
            runtime.with(invalidate);
            // The leader goes on only when the joiner has ended.
            let passing = Arc::new(Stage::open());
            passing.calls.note();
            assert_eq!(start(&runtime, fails, &passing).ended(), Ok(2), "{name}");
            assert_eq!(clock.sleepers(), 0);
            stage.leave.open();
            let own = if fails { Err("overtaken".to_owned()) } else { Ok(1) };
            assert_eq!(leader.ended(), own, "{name}");
            assert_eq!(runtime.with(|| slow(fails, &stage)), Ok(2), "{name}");
        }
    }
}

#[test]
fn a_joiner_after_an_invalidation_of_what_is_found_is_refused_and_computes() {
    for (name, invalidate) in FOUND {
        for fails in [false, true] {
            let (runtime, clock) = fresh();
            let stage = Arc::new(Stage::default());
            let leader = start(&runtime, fails, &stage);
            stage.entered.wait("the leader's body");
            runtime.with(invalidate);
            let joiner = start(&runtime, fails, &stage);
            until("the joiner to wait", || clock.sleepers() == 1);
            stage.leave.open();
            let own = if fails { Err("overtaken".to_owned()) } else { Ok(1) };
            assert_eq!(leader.ended(), own, "{name}");
            assert_eq!(joiner.ended(), Ok(2), "{name}");
            assert_eq!(runtime.with(|| slow(fails, &stage)), Ok(2), "{name}");
            let stats = runtime.with(slow::stats);
            assert_eq!((stats.refused_joins, stats.joins), (1, 0), "{name}");
        }
    }
}

#[test]
fn a_joiner_after_an_invalidation_of_something_else_takes_the_value() {
    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, false, &stage);
    stage.entered.wait("the leader's body");
    runtime.with(|| {
        blocking::invalidate_tags(["joining", "joining-c"]).unwrap();
        blocking::invalidate_tagged_with_all(["joining-a", "joining-c"]).unwrap();
        blocking::invalidate_pattern("joining:true").unwrap();
        slow::invalidate(true).unwrap();
    });
    let joiner = start(&runtime, false, &stage);
    until("the joiner to wait", || clock.sleepers() == 1);
    stage.leave.open();
    assert_eq!((leader.ended(), joiner.ended()), (Ok(1), Ok(1)));
    assert_eq!(runtime.with(|| slow(false, &stage)), Ok(1));
}

#[test]
fn many_refused_joiners_share_the_next_computation() {
    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, false, &stage);
    stage.entered.wait("the leader's body");
    runtime.with(|| blocking::invalidate_tag("joining-found").unwrap());
    let joiners: Vec<_> = (0..8).map(|_| start(&runtime, false, &stage)).collect();
    until("the joiners to wait", || clock.sleepers() == 8);
    stage.leave.open();
    assert_eq!(leader.ended(), Ok(1));
    for joiner in joiners {
        assert_eq!(joiner.ended(), Ok(2));
    }
    assert_eq!(stage.calls.so_far(), 2);
}

#[test]
fn joining_tasks_are_refused_alike() {
    #[cached(skip(stage))]
    async fn slow(stage: &Stage) -> Outcome {
        let call = stage.act_async().await;
        larder::tag("joining-found-later");
        if call == 1 { Err("overtaken".to_owned()) } else { Ok(call) }
    }

    let (runtime, clock) = fresh();
    block_on(async {
        let stage = Arc::new(Stage::default());
        let start = || {
            let stage = Arc::clone(&stage);
            tokio::spawn(runtime.scope(async move { slow(&stage).await }))
        };
        let leader = start();
        stage.entered.passed().await;
        runtime.invalidate_tag("joining-found-later").await.unwrap();
        let joiners: Vec<_> = (0..4).map(|_| start()).collect();
        until_async("the joiners to wait", || clock.sleepers() == 4).await;
        stage.leave.open();
        assert_eq!(leader.await.unwrap(), Err("overtaken".to_owned()));
        for joiner in joiners {
            assert_eq!(joiner.await.unwrap(), Ok(2));
        }
        assert_eq!(runtime.with(slow::stats).refused_joins, 4);
    });
}

#[test]
fn a_follower_that_takes_over_computes_from_what_is_true_then() {
    #[cached(skip(stage))]
    async fn slow(stage: &Stage) -> u64 {
        larder::tag("joining-taken-over");
        stage.act_async().await
    }

    let (runtime, clock) = fresh();
    block_on(async {
        let never = Stage::default();
        let mut leader = Box::pin(runtime.scope(slow(&never)));
        assert!(futures_lite::future::poll_once(leader.as_mut()).await.is_none());
        let stage = Arc::new(Stage::open());
        let inside = Arc::clone(&stage);
        let follower = tokio::spawn(runtime.scope(async move { slow(&inside).await }));
        until_async("the follower to wait", || clock.sleepers() == 1).await;
        runtime.invalidate_tag("joining-taken-over").await.unwrap();
        drop(leader);
        assert_eq!(follower.await.unwrap(), 1);
        assert_eq!(runtime.scope(slow(&stage)).await, 1, "it began after the invalidation");
    });
}
