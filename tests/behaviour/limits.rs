//! `timeout` and `deadline`: how long a call waits, and what it gets then.

use crate::support::{Calls, LIMIT, Stage, block_on, fresh, run, until, until_async};
use larder::testing::ManualClock;
use larder::{Runtime, blocking, cached};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[cached(ttl = "10s", stale = "20s", grace = "1h", timeout = "1s", tags("limits"), skip(stage))]
fn number(stage: &Arc<Stage>) -> u64 {
    stage.act()
}

#[cfg(feature = "tokio")]
#[cached(ttl = "10s", grace = "1h", timeout = "1s", skip(stage))]
async fn number_async(stage: Arc<Stage>) -> u64 {
    stage.act_async().await
}

/// A runtime whose value is so old.
fn aged(age: Duration) -> (Runtime, ManualClock) {
    let (runtime, clock) = fresh();
    assert_eq!(runtime.with(|| number(&Arc::new(Stage::open()))), 1);
    clock.advance(age);
    (runtime, clock)
}

#[test]
fn a_computation_that_takes_too_long_gives_its_caller_the_former_value_and_goes_on() {
    for (age, is_stale) in [(11, true), (60, false)] {
        let (runtime, clock) = aged(age * SECOND);
        let slow = Arc::new(Stage::default());
        slow.calls.note();
        let (inside, stage) = (runtime.clone(), Arc::clone(&slow));
        let caller = run("the caller", move || inside.with(|| number(&stage)));
        slow.entered.wait("the body");
        until("the caller to wait", || clock.sleepers() >= 1);
        clock.advance(SECOND);
        assert_eq!(caller.ended(), 1);
        let stats = runtime.with(number::stats);
        let overdue = (stats.stale_hits, stats.grace_hits);
        assert_eq!(overdue, if is_stale { (1, 0) } else { (0, 1) });
        assert_eq!((stats.timeouts, stats.computations), (1, 1));
        slow.leave.open();
        until("the end of the computation", || runtime.with(number::peek) == Some(2));
    }
}

#[test]
fn one_that_is_quick_enough_is_waited_for() {
    let (runtime, _clock) = aged(11 * SECOND);
    let quick = Arc::new(Stage::open());
    quick.calls.note();
    assert_eq!(runtime.with(|| number(&quick)), 2);
    let stats = runtime.with(number::stats);
    assert_eq!((stats.timeouts, stats.stale_hits, stats.computations), (0, 0, 2));
}

#[test]
fn without_a_former_value_the_caller_waits_on() {
    let (runtime, clock) = fresh();
    let slow = Arc::new(Stage::default());
    let (inside, stage) = (runtime.clone(), Arc::clone(&slow));
    let caller = run("the caller", move || inside.with(|| number(&stage)));
    slow.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(5 * SECOND);
    slow.leave.open();
    assert_eq!(caller.ended(), 1);
    assert_eq!(runtime.with(number::stats).timeouts, 0);
}

#[test]
fn c1_what_was_invalidated_is_not_served_however_long_it_takes() {
    let (runtime, clock) = aged(11 * SECOND);
    let slow = Arc::new(Stage::default());
    slow.calls.note();
    let (inside, stage) = (runtime.clone(), Arc::clone(&slow));
    let caller = run("the caller", move || inside.with(|| number(&stage)));
    slow.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    runtime.with(|| blocking::invalidate_tag("limits")).unwrap();
    clock.advance(5 * SECOND);
    slow.leave.open();
    assert!(caller.ended() > 1, "what was invalidated was served");
    assert_eq!(runtime.with(number::stats).timeouts, 0);
}

#[cfg(feature = "tokio")]
#[test]
fn those_who_wait_for_a_future_get_the_former_value_too() {
    block_on(async {
        let (runtime, clock) = fresh();
        let scoped = runtime.scope(async {
            number_async(Arc::new(Stage::open())).await;
            clock.advance(11 * SECOND);
            let slow = Arc::new(Stage::default());
            slow.calls.note();
            let calls = async {
                let call = || number_async(Arc::clone(&slow));
                futures_lite::future::zip(call(), call()).await
            };
            let later = async {
                until_async("the body", || slow.calls.so_far() == 2).await;
                until_async("both to wait", || clock.sleepers() >= 2).await;
                clock.advance(SECOND);
            };
            let (values, ()) = futures_lite::future::zip(calls, later).await;
            assert_eq!(values, (1, 1));
            slow.leave.open();
            until_async("the new one", || number_async::stats().stores == 2).await;
            assert_eq!(number_async(slow).await, 2);
            assert_eq!(number_async::stats().timeouts, 2);
        });
        scoped.await;
    });
}

fn instead(key: u8, _: &Arc<Stage>) -> Result<u64, String> {
    Err(format!("no time for {key}"))
}

#[cached(ttl = "10s", deadline = "2s", fallback = instead, skip(stage))]
fn limited(key: u8, stage: &Arc<Stage>) -> Result<u64, String> {
    Ok(u64::from(key) * 100 + stage.act())
}

fn instead_async(key: String, _: &Stage) -> String {
    format!("no time for {key}")
}

/// Borrows what need not outlive the call, and takes what the body consumes.
#[cached(ttl = "10s", deadline = "2s", fallback = instead_async, skip(stage))]
async fn limited_async(key: String, stage: &Stage) -> String {
    let own = key;
    format!("{own} {}", stage.act_async().await)
}

#[test]
fn after_the_deadline_the_fallback_answers_and_nothing_of_it_is_kept() {
    let (runtime, clock) = fresh();
    let slow = Arc::new(Stage::default());
    let (inside, stage) = (runtime.clone(), Arc::clone(&slow));
    let caller = run("the caller", move || inside.with(|| limited(7, &stage)));
    slow.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(2 * SECOND);
    assert_eq!(caller.ended(), Err("no time for 7".to_owned()));
    assert_eq!(runtime.with(|| limited::peek(7)), None);
    slow.leave.open();
    until("the value", || runtime.with(|| limited::peek(7)) == Some(Ok(701)));
    assert_eq!(runtime.with(|| limited(7, &slow)), Ok(701));
    assert_eq!(runtime.with(limited::stats).fallbacks, 1);
}

#[test]
fn a_future_is_dropped_at_its_deadline() {
    block_on(async {
        let (runtime, clock) = fresh();
        let stage = Stage::default();
        let scoped = runtime.scope(async {
            let call = limited_async("a".to_owned(), &stage);
            let later = async {
                until_async("the body", || stage.calls.so_far() == 1).await;
                until_async("the caller to wait", || clock.sleepers() >= 1).await;
                clock.advance(2 * SECOND);
            };
            let (value, ()) = futures_lite::future::zip(call, later).await;
            assert_eq!(value, "no time for a");
            stage.leave.open();
            assert_eq!(limited_async("a".to_owned(), &stage).await, "a 2");
            let stats = limited_async::stats();
            assert_eq!((stats.fallbacks, stats.computations), (1, 1));
        });
        scoped.await;
    });
}

#[test]
fn what_is_made_of_a_fallback_is_not_kept() {
    static CALLS: Calls = Calls::new();

    fn nothing(_: &Stage) -> u64 {
        0
    }

    #[cached(deadline = "2s", fallback = nothing, skip(stage))]
    async fn inner(stage: &Stage) -> u64 {
        stage.act_async().await
    }

    #[cached(skip(stage))]
    async fn outer(stage: &Stage) -> u64 {
        CALLS.note();
        inner(stage).await + 10
    }

    block_on(async {
        let (runtime, clock) = fresh();
        let stage = Stage::default();
        let scoped = runtime.scope(async {
            let later = async {
                until_async("the body", || stage.calls.so_far() == 1).await;
                until_async("the caller to wait", || clock.sleepers() >= 1).await;
                clock.advance(2 * SECOND);
            };
            let (value, ()) = futures_lite::future::zip(outer(&stage), later).await;
            assert_eq!(value, 10);
            assert_eq!(outer::peek().await, None, "it was kept");
            stage.leave.open();
            assert_eq!(outer(&stage).await, 12);
            assert_eq!(CALLS.so_far(), 2);
        });
        scoped.await;
    });
}

#[test]
fn a_method_falls_back_to_a_method() {
    struct Shop(u64);

    impl Shop {
        #[cached(key(self.0), deadline = "2s", fallback = Self::guess)]
        async fn price(&self, stage: &Stage) -> u64 {
            stage.act_async().await
        }

        fn guess(&self, _: &Stage) -> u64 {
            self.0
        }
    }

    block_on(async {
        let (runtime, clock) = fresh();
        let stage = Stage::default();
        let shop = Shop(42);
        let scoped = runtime.scope(async {
            let later = async {
                until_async("the body", || stage.calls.so_far() == 1).await;
                until_async("the caller to wait", || clock.sleepers() >= 1).await;
                clock.advance(2 * SECOND);
            };
            assert_eq!(futures_lite::future::zip(shop.price(&stage), later).await.0, 42);
        });
        scoped.await;
    });
}

#[test]
fn what_a_caller_is_not_to_write_is_not_written_in_its_place() {
    let (runtime, _clock) = aged(11 * SECOND);
    let quick = Arc::new(Stage::open());
    quick.calls.note();
    let only_read = larder::Options::new().read_only();
    assert_eq!(runtime.with(|| number::with(only_read, &quick)), 2);
    assert_eq!(runtime.with(number::stats).stores, 1);
}

#[test]
fn an_error_that_can_not_be_copied_is_its_callers_and_costs_one_computation() {
    #[derive(Debug, PartialEq)]
    struct Fault(u64);

    #[cached(ttl = "10s", stale = "20s", timeout = "1s", skip(calls))]
    fn fragile(calls: &Arc<Calls>) -> Result<u64, Fault> {
        Err(Fault(calls.note()))
    }

    fresh().0.with(|| {
        let calls = Arc::new(Calls::new());
        assert_eq!(fragile(&calls), Err(Fault(1)));
        assert_eq!(calls.so_far(), 1);
    });
}

#[test]
fn what_is_computed_in_the_background_has_no_deadline() {
    static FALLBACKS: Calls = Calls::new();

    fn never(_: &Arc<Stage>) -> u64 {
        FALLBACKS.note();
        0
    }

    #[cached(ttl = "10s", refresh = "3s", deadline = "2s", fallback = never, skip(stage))]
    async fn slow(stage: &Arc<Stage>) -> u64 {
        stage.act_async().await
    }

    let (sender, spawned) = std::sync::mpsc::channel();
    let clock = ManualClock::new();
    let runtime = Runtime::builder().clock(clock.clone());
    let runtime = runtime.executor(move |future| sender.send(future).unwrap()).build().unwrap();
    let call = |stage: &Arc<Stage>| futures_lite::future::block_on(runtime.scope(slow(stage)));
    // Each is computed elsewhere, since the deadline is that of its caller.
    let run_spawned = |stage: &Stage| {
        let mut future = spawned.recv_timeout(SECOND).expect("nothing was spawned");
        assert!(
            futures_lite::future::block_on(futures_lite::future::poll_once(&mut future)).is_none()
        );
        clock.advance(5 * SECOND);
        stage.leave.open();
        futures_lite::future::block_on(future);
    };
    let first = Arc::new(Stage::default());
    let (inside, stage) = (runtime.clone(), Arc::clone(&first));
    let waiting =
        run("the first call", move || futures_lite::future::block_on(inside.scope(slow(&stage))));
    run_spawned(&first);
    assert!([0, 1].contains(&waiting.ended()), "its own deadline may have been over");
    clock.advance(8 * SECOND);
    let fallbacks = FALLBACKS.so_far();
    let second = Arc::new(Stage::default());
    second.calls.note();
    assert_eq!(call(&second), 1);
    run_spawned(&second);
    assert_eq!((call(&second), FALLBACKS.so_far()), (2, fallbacks));
}

#[test]
fn what_was_handed_over_and_never_begun_is_computed_in_place() {
    #[cached(ttl = "10s", stale = "1h", timeout = "1s", wait = "5s", skip(stage))]
    async fn begun_late(stage: &Arc<Stage>) -> u64 {
        stage.act_async().await
    }

    let (sender, spawned) = std::sync::mpsc::channel();
    let clock = ManualClock::new();
    let runtime = Runtime::builder().clock(clock.clone());
    let runtime = runtime.executor(move |future| sender.send(future).unwrap()).build().unwrap();
    let (inside, stage) = (runtime.clone(), Arc::new(Stage::open()));
    let given = Arc::clone(&stage);
    let caller =
        run("the caller", move || futures_lite::future::block_on(inside.scope(begun_late(&given))));
    let handed_over = spawned.recv_timeout(LIMIT).expect("nothing was spawned");
    for wait in [1, 4] {
        until("the caller to wait", || clock.sleepers() >= 1);
        clock.advance(wait * SECOND);
    }
    assert_eq!(caller.ended(), 1);
    // Begun at last, it has nothing to do any more.
    futures_lite::future::block_on(handed_over);
    let stats = runtime.with(begun_late::stats);
    assert_eq!((stage.calls.so_far(), stats.computations, stats.stores), (1, 1, 1));
}

#[test]
fn where_nothing_runs_behind_it_who_has_a_deadline_renews_nothing() {
    static FALLBACKS: Calls = Calls::new();

    fn never(_: &Arc<Stage>) -> u64 {
        FALLBACKS.note();
        0
    }

    #[cached(ttl = "10s", refresh = "3s", deadline = "2s", fallback = never, skip(stage))]
    async fn slow(stage: &Arc<Stage>) -> u64 {
        stage.act_async().await
    }

    let (runtime, clock) = fresh();
    let call = |stage: &Arc<Stage>| futures_lite::future::block_on(runtime.scope(slow(stage)));
    assert_eq!(call(&Arc::new(Stage::open())), 1);
    clock.advance(8 * SECOND);
    assert_eq!(call(&Arc::default()), 1, "the body would not have ended");
    let stats = runtime.with(slow::stats);
    assert_eq!((stats.hits, stats.refreshes, FALLBACKS.so_far()), (1, 0, 0));
}

/// Nothing runs behind these calls, nor could their error be handed on.
#[test]
fn a_future_that_takes_too_long_is_dropped_where_it_can_not_go_on() {
    #[derive(Debug, PartialEq)]
    struct Fault;

    #[cached(ttl = "10s", stale = "5s", grace = "1h", timeout = "1s", tags("limited"), skip(stage))]
    async fn fragile(stage: &Arc<Stage>) -> Result<u64, Fault> {
        Ok(stage.act_async().await)
    }

    let (runtime, clock) = fresh();
    let call = |stage: &Arc<Stage>| futures_lite::future::block_on(runtime.scope(fragile(stage)));
    assert_eq!(call(&Arc::new(Stage::open())), Ok(1));
    for (age, stale, grace) in [(12, 1, 0), (60, 1, 1)] {
        clock.advance(age * SECOND);
        let (inside, slow) = (runtime.clone(), Arc::new(Stage::default()));
        let given = Arc::clone(&slow);
        let caller = run("the caller", move || {
            futures_lite::future::block_on(inside.scope(fragile(&given)))
        });
        until("the caller to wait", || clock.sleepers() >= 1);
        clock.advance(SECOND);
        assert_eq!(caller.ended(), Ok(1));
        let stats = runtime.with(fragile::stats);
        assert_eq!((stats.stale_hits, stats.grace_hits), (stale, grace));
        assert_eq!((stats.timeouts, stats.computations), (stale + grace, 1));
    }
    // The next attempt is not due, and then it is.
    assert_eq!(call(&Arc::default()), Ok(1));
    clock.advance(10 * SECOND);
    let quick = Arc::new(Stage::open());
    quick.calls.note();
    assert_eq!(call(&quick), Ok(2));
    clock.advance(12 * SECOND);
    runtime.with(|| blocking::invalidate_tag("limited")).unwrap();
    let (inside, slow) = (runtime.clone(), Arc::new(Stage::default()));
    let given = Arc::clone(&slow);
    let caller =
        run("the caller", move || futures_lite::future::block_on(inside.scope(fragile(&given))));
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(SECOND);
    slow.leave.open();
    assert_eq!(caller.ended(), Ok(1), "what was invalidated is not served");
    assert_eq!(runtime.with(fragile::stats).timeouts, 2);
}

#[test]
fn what_was_handed_over_and_has_begun_is_waited_for_until_the_deadline() {
    fn instead(_: &Arc<Stage>) -> u64 {
        0
    }

    #[cached(
        ttl = "10s", grace = "1h", deadline = "60s", fallback = instead, wait = "5s", skip(stage)
    )]
    fn patient(stage: &Arc<Stage>) -> u64 {
        stage.act()
    }

    let (runtime, clock) = fresh();
    assert_eq!(runtime.with(|| patient(&Arc::new(Stage::open()))), 1);
    clock.advance(11 * SECOND);
    let slow = Arc::new(Stage::default());
    slow.calls.note();
    let (inside, stage) = (runtime.clone(), Arc::clone(&slow));
    let caller = run("the caller", move || inside.with(|| patient(&stage)));
    slow.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(6 * SECOND);
    until("the caller to wait on", || clock.sleepers() >= 1);
    slow.leave.open();
    assert_eq!(caller.ended(), 2, "nothing has failed, and there is time");
    let stats = runtime.with(patient::stats);
    assert_eq!((stats.timeouts, stats.grace_hits, stats.fallbacks), (0, 0, 0));
}

#[test]
fn what_is_warmed_is_computed_however_long_a_caller_would_wait() {
    #[cached(ttl = "10s", grace = "1h", timeout = "1s", skip(stage))]
    async fn slow(stage: Arc<Stage>) -> u64 {
        stage.act_async().await
    }

    let (runtime, clock) = fresh();
    let open = Arc::new(Stage::open());
    assert_eq!(futures_lite::future::block_on(runtime.scope(slow(open))), 1);
    clock.advance(11 * SECOND);
    let stage = Arc::new(Stage::default());
    stage.calls.note();
    let (inside, given) = (runtime.clone(), Arc::clone(&stage));
    let warming = run("the warming", move || {
        futures_lite::future::block_on(inside.scope(slow::warm([given])))
    });
    until("the body", || stage.calls.so_far() == 2);
    // Whenever it would begin to count.
    for _ in 0..20 {
        clock.advance(SECOND / 10);
        std::thread::sleep(Duration::from_millis(5));
    }
    stage.leave.open();
    let warmed = warming.ended();
    assert_eq!((warmed.calls, warmed.skipped, warmed.failures.len()), (1, 0, 0));
    assert_eq!(futures_lite::future::block_on(runtime.scope(slow::peek())), Some(2));
    assert_eq!(runtime.with(slow::stats).timeouts, 0);
}

/// C7: whoever comes to compute what another call gave up has a deadline of its own.
#[test]
fn what_another_call_gave_up_is_not_waited_for_beyond_the_deadline_of_who_goes_on_with_it() {
    fn nothing(_: &Arc<Stage>, _: bool) -> u64 {
        0
    }

    #[cached(ttl = "10s", deadline = "2s", fallback = nothing, skip(stage, fails))]
    fn given_up(stage: &Arc<Stage>, fails: bool) -> u64 {
        let call = stage.act();
        assert!(!fails, "as it is meant to");
        call
    }

    /// Inside a computation nothing is handed over.
    #[cached(skip(stage))]
    fn around(stage: &Arc<Stage>) -> u64 {
        given_up(stage, true)
    }

    let (runtime, clock) = fresh();
    let (first, second) = (Arc::new(Stage::default()), Arc::new(Stage::default()));
    let (inside, stage) = (runtime.clone(), Arc::clone(&first));
    let leader = run("the leader", move || {
        catch_unwind(AssertUnwindSafe(|| inside.with(|| around(&stage)))).is_err()
    });
    first.entered.wait("the first body");
    let (inside, stage) = (runtime.clone(), Arc::clone(&second));
    let caller = run("the caller", move || inside.with(|| given_up(&stage, false)));
    until("the caller to wait", || clock.sleepers() >= 1);
    first.leave.open();
    assert!(leader.ended(), "the body did not panic");
    second.entered.wait("the second body");
    until("the caller to wait on", || clock.sleepers() >= 1);
    clock.advance(2 * SECOND);
    assert_eq!(caller.ended(), 0, "it waited for what it went on with");
    second.leave.open();
    until("the end of the computation", || runtime.with(given_up::peek) == Some(1));
    let stats = runtime.with(given_up::stats);
    assert_eq!((stats.takeovers, stats.fallbacks, stats.computations), (1, 1, 1));
}
