//! F1: one computation per key. Callers that come while it runs wait for it, with borrowed arguments
//! and from any thread or task; whatever becomes of it, nobody hangs.

use crate::support::{
    Calls, Gate, Running, Stage, block_on, everywhere, everywhere_async, fresh, run, until,
    until_async,
};
use larder::testing::ManualClock;
use larder::{Runtime, cached};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

/// Runs a call on a thread, on a runtime.
fn start<R: Send + 'static>(
    runtime: &Runtime,
    stage: &Arc<Stage>,
    call: impl FnOnce(&Stage) -> R + Send + 'static,
) -> Running<R> {
    let (runtime, stage) = (runtime.clone(), Arc::clone(stage));
    run("a caller", move || runtime.with(|| call(&stage)))
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) {
    assert!(future.poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn many_threads_get_one_computation() {
    #[cached(key(name))]
    fn slow(name: &str, stage: &Stage) -> String {
        stage.calls.note();
        stage.entered.open();
        stage.leave.wait("all callers to have come");
        name.to_owned()
    }

    everywhere(|| {
        const CALLERS: usize = 16;
        let stage = Stage::default();
        let barrier = Barrier::new(CALLERS);
        let before = slow::stats();
        let surroundings: Vec<_> = (0..CALLERS)
            .map(|_| {
                larder::inherit(async {
                    barrier.wait();
                    // Borrowed from the test's own stack.
                    slow(&String::from("larder"), &stage)
                })
            })
            .collect();
        thread::scope(|scope| {
            let callers: Vec<_> = surroundings
                .into_iter()
                .map(|call| scope.spawn(|| futures_lite::future::block_on(call)))
                .collect();
            until("all callers to look", || {
                slow::stats().misses_absent - before.misses_absent == CALLERS as u64
            });
            stage.leave.open();
            for caller in callers {
                assert_eq!(caller.join().unwrap(), "larder");
            }
        });
        assert_eq!(stage.calls.so_far(), 1);
        let after = slow::stats();
        assert_eq!(after.computations - before.computations, 1);
        assert_eq!(after.joins - before.joins, CALLERS as u64 - 1);
        assert_eq!(after.hits, before.hits, "they had been counted as misses");
    });
}

#[test]
fn a_caller_that_comes_just_too_late_for_a_computation_joins_it() {
    /// Looked at between the look-up and the computation.
    struct Pace<'a>(Option<&'a Stage>);

    impl fmt::Display for Pace<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            if let Some(stage) = self.0 {
                stage.act();
            }
            f.write_str("pace")
        }
    }

    #[cached(key(name), tags("{pace}"))]
    fn quick(name: &str, pace: &Pace<'_>) -> usize {
        name.len()
    }

    let (runtime, _) = fresh();
    let stage = Arc::new(Stage::default());
    let late = start(&runtime, &stage, |stage| quick("larder", &Pace(Some(stage))));
    stage.entered.wait("the late caller to have missed");
    assert_eq!(runtime.with(|| quick("larder", &Pace(None))), 6);
    stage.leave.open();
    assert_eq!(late.ended(), 6);
    let stats = runtime.with(quick::stats);
    assert_eq!((stats.misses_absent, stats.computations, stats.joins, stats.hits), (2, 1, 1, 0));
}

#[test]
fn many_tasks_get_one_computation() {
    #[cached(key(name))]
    async fn slow(name: &str, stage: &Stage) -> String {
        stage.act_async().await;
        name.to_owned()
    }

    let (runtime, clock) = fresh();
    block_on(async {
        let stage = Arc::new(Stage::default());
        let start = || {
            let stage = Arc::clone(&stage);
            let call = async move { slow(&String::from("larder"), &stage).await };
            tokio::spawn(runtime.scope(call))
        };
        let leader = start();
        stage.entered.passed().await;
        let followers: Vec<_> = (0..1_000).map(|_| start()).collect();
        until_async("all followers to wait", || clock.sleepers() == 1_000).await;
        stage.leave.open();
        assert_eq!(leader.await.unwrap(), "larder");
        for follower in followers {
            assert_eq!(follower.await.unwrap(), "larder");
        }
        assert_eq!(stage.calls.so_far(), 1);
        let stats = runtime.with(slow::stats);
        assert_eq!((stats.computations, stats.joins, stats.stores), (1, 1_000, 1));
    });
}

#[test]
fn many_tasks_on_the_global_runtime_get_one_computation() {
    #[cached(key(name))]
    async fn slow(name: &str, stage: &Stage) -> usize {
        stage.act_async().await;
        name.len()
    }

    everywhere_async(|| async {
        let stage = Arc::new(Stage::default());
        let callers: Vec<_> = (0..100)
            .map(|_| {
                let stage = Arc::clone(&stage);
                tokio::spawn(larder::inherit(async move { slow("larder", &stage).await }))
            })
            .collect();
        until_async("all callers to look", || slow::stats().misses_absent == 100).await;
        stage.leave.open();
        for caller in callers {
            assert_eq!(caller.await.unwrap(), 6);
        }
        assert_eq!(stage.calls.so_far(), 1);
    });
}

#[test]
fn other_keys_are_computed_meanwhile() {
    #[cached(key(id))]
    fn slow(id: u64, stage: &Stage) -> u64 {
        stage.act();
        id
    }

    everywhere(|| {
        let stage = Arc::new(Stage::default());
        let inside = Arc::clone(&stage);
        let call = larder::inherit(async move { slow(1, &inside) });
        let running = run("a caller", || futures_lite::future::block_on(call));
        stage.entered.wait("the leader's body");
        let passing = Stage::open();
        (2..500).for_each(|id| assert_eq!(slow(id, &passing), id));
        stage.leave.open();
        assert_eq!(running.ended(), 1);
        slow::invalidate_all().unwrap();
    });
}

#[test]
fn when_the_leader_is_cancelled_a_follower_takes_over_with_its_own_arguments() {
    #[cached(skip(name, stage))]
    async fn slow(name: String, stage: &Stage) -> String {
        stage.act_async().await;
        name
    }

    let (runtime, clock) = fresh();
    block_on(async {
        let first = Stage::default();
        let mut leader = Box::pin(runtime.scope(slow("leader".to_owned(), &first)));
        poll_once(leader.as_mut());
        let stage = Arc::new(Stage::open());
        let followers: Vec<_> = (0..10)
            .map(|_| {
                let stage = Arc::clone(&stage);
                let call = async move { slow("follower".to_owned(), &stage).await };
                tokio::spawn(runtime.scope(call))
            })
            .collect();
        until_async("the followers to wait", || clock.sleepers() == 10).await;
        assert_eq!(stage.calls.so_far(), 0);
        drop(leader);
        for follower in followers {
            assert_eq!(follower.await.unwrap(), "follower");
        }
        assert_eq!(stage.calls.so_far(), 1, "one took over, the others got its value");
        let stats = runtime.with(slow::stats);
        assert_eq!((stats.takeovers, stats.joins), (1, 9));
    });
}

#[test]
fn when_all_who_could_take_over_are_cancelled_the_next_caller_computes() {
    #[cached(key(id))]
    async fn slow(id: u64, stage: &Stage) -> u64 {
        stage.act_async().await;
        id
    }

    let (runtime, _) = fresh();
    let (never, passing) = (Stage::default(), Stage::open());
    let call = |stage| Box::pin(runtime.scope(slow(1, stage)));
    let mut leader = call(&never);
    let mut followers = [call(&never), call(&never), call(&never)];
    poll_once(leader.as_mut());
    followers.iter_mut().for_each(|it| poll_once(it.as_mut()));
    drop(leader);
    let [one, other, last] = followers;
    drop(other);
    drop(one);
    drop(last);
    assert_eq!(block_on(call(&passing)), 1);
    assert_eq!(block_on(call(&never)), 1, "it was stored");
}

#[test]
fn callers_that_are_gone_leave_no_key_behind() {
    #[cached(key(Arc::clone(key)))]
    async fn slow(key: &Arc<u64>, stage: &Stage) -> u64 {
        stage.act_async().await;
        **key
    }

    let (runtime, _) = fresh();
    let stage = Stage::default();
    let key = Arc::new(1);
    let call = || Box::pin(runtime.scope(slow(&key, &stage)));
    let (mut leader, mut follower) = (call(), call());
    poll_once(leader.as_mut());
    poll_once(follower.as_mut());
    drop(leader);
    drop(follower);
    assert_eq!(Arc::strong_count(&key), 1, "the key of a call nobody makes any more is kept");
}

#[test]
fn when_the_leading_thread_panics_a_follower_takes_over_and_nobody_hangs() {
    static FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        let call = stage.act();
        assert!(!FIRST.swap(false, SeqCst), "on purpose");
        call
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, &stage, slow);
    stage.entered.wait("the leader's body");
    let followers: Vec<_> = (0..5).map(|_| start(&runtime, &stage, slow)).collect();
    until("the followers to wait", || clock.sleepers() == 5);
    stage.leave.open();
    assert!(leader.outcome().is_err(), "the panic is the leader's caller's own");
    for follower in followers {
        assert_eq!(follower.ended(), 2);
    }
    assert_eq!(runtime.with(|| slow(&stage)), 2);
    assert_eq!(runtime.with(slow::stats).takeovers, 1);
}

#[test]
fn when_the_leading_task_panics_a_follower_takes_over_and_nobody_hangs() {
    static FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(skip(stage))]
    async fn slow(stage: &Stage) -> u64 {
        let call = stage.act_async().await;
        assert!(!FIRST.swap(false, SeqCst), "on purpose");
        call
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
        let followers: Vec<_> = (0..5).map(|_| start()).collect();
        until_async("the followers to wait", || clock.sleepers() == 5).await;
        stage.leave.open();
        assert!(leader.await.unwrap_err().is_panic());
        for follower in followers {
            assert_eq!(follower.await.unwrap(), 2);
        }
    });
}

#[test]
fn when_everybody_panics_everybody_panics_and_the_next_caller_computes() {
    static PANICS: AtomicBool = AtomicBool::new(true);

    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        let call = stage.act();
        assert!(!PANICS.load(SeqCst), "on purpose");
        call
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, &stage, slow);
    stage.entered.wait("the leader's body");
    let followers: Vec<_> = (0..3).map(|_| start(&runtime, &stage, slow)).collect();
    until("the followers to wait", || clock.sleepers() == 3);
    stage.leave.open();
    assert!(leader.outcome().is_err());
    assert!(followers.into_iter().all(|it| it.outcome().is_err()));
    PANICS.store(false, SeqCst);
    assert_eq!(runtime.with(|| slow(&stage)), 5);
}

#[test]
fn a_failure_that_can_be_cloned_is_shared_with_those_who_wait_and_not_stored() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> Result<u64, String> {
        match stage.act() {
            1 => Err("first".to_owned()),
            call => Ok(call),
        }
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, &stage, slow);
    stage.entered.wait("the leader's body");
    let followers: Vec<_> = (0..5).map(|_| start(&runtime, &stage, slow)).collect();
    until("the followers to wait", || clock.sleepers() == 5);
    stage.leave.open();
    assert_eq!(leader.ended(), Err("first".to_owned()));
    for follower in followers {
        assert_eq!(follower.ended(), Err("first".to_owned()));
    }
    assert_eq!(stage.calls.so_far(), 1);
    assert_eq!(runtime.with(|| slow(&stage)), Ok(2), "those who come later compute");
}

/// An error that can't be copied.
#[derive(Debug, PartialEq)]
struct Once(u64);

#[test]
fn after_a_failure_that_can_t_be_cloned_each_thread_computes_at_once_for_itself() {
    const FOLLOWERS: u64 = 5;
    static LATER: AtomicU64 = AtomicU64::new(0);

    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> Result<u64, Once> {
        let call = stage.act();
        if call > 1 {
            // None of them could pass one by one.
            LATER.fetch_add(1, SeqCst);
            until("all followers to compute at once", || LATER.load(SeqCst) == FOLLOWERS);
        }
        Err(Once(call))
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, &stage, slow);
    stage.entered.wait("the leader's body");
    let followers: Vec<_> = (0..FOLLOWERS).map(|_| start(&runtime, &stage, slow)).collect();
    until("the followers to wait", || clock.sleepers() == 5);
    stage.leave.open();
    assert_eq!(leader.ended(), Err(Once(1)));
    let mut errors: Vec<_> = followers.into_iter().map(|it| it.ended().unwrap_err().0).collect();
    errors.sort_unstable();
    assert_eq!(errors, [2, 3, 4, 5, 6]);
}

#[test]
fn after_a_failure_that_can_t_be_cloned_each_task_computes_at_once_for_itself() {
    const FOLLOWERS: u64 = 5;

    #[cached(skip(stage, later))]
    async fn slow(stage: &Stage, later: &Calls) -> Result<u64, Once> {
        let call = stage.act_async().await;
        if call == 1 {
            return Err(Once(call));
        }
        later.note();
        until_async("all followers to compute at once", || later.so_far() == FOLLOWERS).await;
        Ok(call)
    }

    let (runtime, clock) = fresh();
    block_on(async {
        let shared = Arc::new((Stage::default(), Calls::new()));
        let start = || {
            let shared = Arc::clone(&shared);
            tokio::spawn(runtime.scope(async move { slow(&shared.0, &shared.1).await }))
        };
        let leader = start();
        shared.0.entered.passed().await;
        let followers: Vec<_> = (0..FOLLOWERS).map(|_| start()).collect();
        until_async("the followers to wait", || clock.sleepers() == 5).await;
        shared.0.leave.open();
        assert_eq!(leader.await.unwrap(), Err(Once(1)));
        for follower in followers {
            assert!(follower.await.unwrap().is_ok());
        }
        assert_eq!(shared.0.calls.so_far(), 1 + FOLLOWERS);
        let kept = runtime.with(slow::stats).entries;
        assert_eq!(kept, 1, "what one of them found is kept");
    });
}

#[test]
fn a_success_is_shared_even_if_the_error_can_t_be_cloned() {
    #[cached(skip(stage))]
    fn slow(stage: &Stage) -> Result<u64, Once> {
        Ok(stage.act())
    }

    let (runtime, clock) = fresh();
    let stage = Arc::new(Stage::default());
    let leader = start(&runtime, &stage, slow);
    stage.entered.wait("the leader's body");
    let follower = start(&runtime, &stage, slow);
    until("the follower to wait", || clock.sleepers() == 1);
    stage.leave.open();
    assert_eq!((leader.ended(), follower.ended()), (Ok(1), Ok(1)));
}

#[test]
fn who_has_waited_long_enough_computes_for_itself() {
    #[cached(wait = "5s", skip(stage))]
    fn slow(stage: &Stage) -> u64 {
        stage.act()
    }

    let (runtime, clock) = fresh();
    let (stuck, passing) = (Arc::new(Stage::default()), Arc::new(Stage::open()));
    let leader = start(&runtime, &stuck, slow);
    stuck.entered.wait("the leader's body");
    let follower = start(&runtime, &passing, |stage| slow(stage) + 100);
    until("the follower to wait", || clock.sleepers() == 1);
    clock.advance(Duration::from_millis(4_999));
    assert_eq!(passing.calls.so_far(), 0, "not before its time");
    clock.advance(Duration::from_millis(1));
    assert_eq!(follower.ended(), 101);
    assert_eq!(runtime.with(|| slow(&passing)), 1, "what it found is served");
    stuck.leave.open();
    assert_eq!(leader.ended(), 1, "the late leader's caller gets its value");
    assert_eq!(runtime.with(slow::stats).stores, 1, "and the late value is not stored");
}

#[test]
fn thirty_seconds_are_long_enough_unless_said_otherwise() {
    #[cached(skip(stage))]
    async fn slow(stage: &Stage) -> u64 {
        stage.act_async().await
    }

    let (runtime, clock) = fresh();
    let (stuck, passing) = (Stage::default(), Stage::open());
    let mut leader = Box::pin(runtime.scope(slow(&stuck)));
    let mut follower = Box::pin(runtime.scope(slow(&passing)));
    poll_once(leader.as_mut());
    poll_once(follower.as_mut());
    clock.advance(Duration::from_secs(29));
    poll_once(follower.as_mut());
    clock.advance(Duration::from_secs(1));
    assert_eq!(block_on(follower), 1);
}

#[test]
fn a_leader_that_is_never_polled_again_holds_nobody_up_for_ever() {
    #[cached(wait = "5s", key(id))]
    async fn slow(id: u64, stage: &Stage) -> u64 {
        stage.act_async().await;
        id
    }

    fn check(runtime: &Runtime, clock: &ManualClock) {
        let stuck = Stage::default();
        let mut leader = Box::pin(runtime.scope(slow(1, &stuck)));
        poll_once(leader.as_mut());
        let followers: Vec<_> = (0..3)
            .map(|_| {
                let runtime = runtime.clone();
                run("a follower", move || {
                    futures_lite::future::block_on(runtime.scope(slow(1, &Stage::open())))
                })
            })
            .collect();
        until("the followers to wait", || clock.sleepers() == 3);
        clock.advance(Duration::from_secs(5));
        for follower in followers {
            assert_eq!(follower.ended(), 1);
        }
        // Nor does it come back to life.
        stuck.leave.open();
        assert_eq!(futures_lite::future::block_on(leader), 1);
        drop(stuck);
    }

    let (runtime, clock) = fresh();
    check(&runtime, &clock);
    assert_eq!(runtime.with(slow::stats).entries, 1);
}

#[test]
fn a_computation_alone_is_not_joined_after_it_ended() {
    static CALLS: Calls = Calls::new();

    #[cached(cache_if = never)]
    fn unkept(id: u64) -> u64 {
        CALLS.note();
        id
    }

    fn never(_: &u64) -> bool {
        false
    }

    everywhere(|| {
        for _ in 0..5 {
            unkept(1);
        }
        assert_eq!(CALLS.taken(), 5);
    });
}

#[test]
fn a_storm_of_cancellations_and_panics_leaves_every_key_callable() {
    static ROUND: AtomicU64 = AtomicU64::new(0);

    #[cached(key(id))]
    async fn shaky(id: u64, step: u64) -> u64 {
        tokio::task::yield_now().await;
        assert!(!step.is_multiple_of(7), "on purpose");
        tokio::task::yield_now().await;
        id
    }

    everywhere_async(|| async {
        let gate = Arc::new(Gate::default());
        let tasks: Vec<_> = (0..400_u64)
            .map(|step| {
                let gate = Arc::clone(&gate);
                let call = larder::inherit(async move {
                    gate.passed().await;
                    shaky(step % 8, step).await
                });
                tokio::spawn(call)
            })
            .collect();
        gate.open();
        for (at, task) in tasks.iter().enumerate() {
            if at % 3 == 0 {
                task.abort();
            }
            tokio::task::yield_now().await;
        }
        for task in tasks {
            match task.await {
                Ok(out) => assert!(out < 8),
                Err(error) => assert!(error.is_panic() || error.is_cancelled()),
            }
        }
        ROUND.fetch_add(1, SeqCst);
        for id in 0..8 {
            assert_eq!(shaky(id, 1).await, id);
        }
        shaky::invalidate_all().await.unwrap();
    });
}

#[test]
fn a_panic_of_the_body_reaches_the_caller_as_it_is() {
    #[cached]
    fn panics(id: u64) -> u64 {
        std::panic::panic_any(id)
    }

    everywhere(|| {
        for _ in 0..3 {
            let panic = catch_unwind(AssertUnwindSafe(|| panics(7))).unwrap_err();
            assert_eq!(*panic.downcast::<u64>().unwrap(), 7);
        }
    });
}
