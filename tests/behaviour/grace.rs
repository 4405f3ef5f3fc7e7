//! `grace`: where computing a value anew fails, the one before is served for a while, and the body is not
//! tried again by everyone.

use crate::support::{Calls, Stage, block_on, fresh, run, until};
use larder::testing::ManualClock;
use larder::{Runtime, blocking, cached};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

const TTL: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

/// A source that fails when told to.
#[derive(Default)]
struct Source {
    runs: Calls,
    /// So many more attempts fail.
    failures: AtomicU64,
    panics: bool,
}

/// An error that can't be handed to several.
#[derive(Debug, PartialEq)]
struct Fault(u64);

impl Source {
    fn read(&self) -> Result<u64, Fault> {
        let run = self.runs.note();
        let fails = self.failures.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        assert!(!(fails && self.panics), "on purpose");
        if fails { Err(Fault(run)) } else { Ok(run) }
    }

    fn fail(&self, times: u64) {
        self.failures.store(times, SeqCst);
    }
}

#[cached(ttl = "10s", grace = "1h", tags("grace"), skip(source))]
fn number(source: &Source) -> Result<u64, Fault> {
    source.read()
}

#[cached(ttl = "10s", grace = "1h", skip(source))]
async fn number_async(source: Arc<Source>) -> Result<u64, u64> {
    source.read().map_err(|Fault(run)| run)
}

/// Takes its time.
#[cached(ttl = "10s", grace = "1h", tags("grace under way"), skip(stage, fails))]
fn slow(stage: &Stage, fails: bool) -> Result<u64, Fault> {
    let call = stage.act();
    if fails { Err(Fault(call)) } else { Ok(call) }
}

/// A runtime whose value is just over its time, from a source that fails so often.
fn expired(source: &Source, times: u64) -> (Runtime, ManualClock) {
    let (runtime, clock) = fresh();
    assert_eq!(runtime.with(|| number(source)), Ok(1));
    clock.advance(TTL);
    source.fail(times);
    (runtime, clock)
}

#[test]
fn a_failure_serves_the_value_before() {
    let source = Source::default();
    let (runtime, _) = expired(&source, 1);
    assert_eq!(runtime.with(|| number(&source)), Ok(1));
    let stats = runtime.with(number::stats);
    assert_eq!((stats.grace_hits, stats.computations, stats.failures), (1, 2, 1));
}

#[test]
fn the_next_attempt_comes_after_a_wait_that_grows() {
    let source = Source::default();
    let (runtime, clock) = expired(&source, u64::MAX);
    source.runs.taken();
    // After each, this many seconds without another.
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(runtime.with(|| number(&source)), Ok(1));
        assert_eq!(source.runs.taken(), 1);
        for _ in 0..3 {
            assert_eq!(runtime.with(|| number(&source)), Ok(1));
        }
        clock.advance(wait * SECOND - Duration::from_nanos(1));
        assert_eq!(runtime.with(|| number(&source)), Ok(1));
        assert_eq!(source.runs.taken(), 0, "before {wait} s are over");
        clock.advance(Duration::from_nanos(1));
    }
}

#[test]
fn the_wait_is_as_long_as_the_runtime_says_and_begins_anew_after_a_success() {
    let clock = ManualClock::new();
    let builder = Runtime::builder().clock(clock.clone());
    let runtime = builder.backoff(5 * SECOND, 7 * SECOND).build().unwrap();
    let source = Source::default();
    let call = || runtime.with(|| number(&source));
    assert_eq!(call(), Ok(1));
    for first in [1, 4] {
        clock.advance(TTL);
        source.fail(2);
        source.runs.taken();
        for wait in [5, 7] {
            assert!(call().is_ok());
            clock.advance(wait * SECOND - Duration::from_nanos(1));
            assert!(call().is_ok());
            assert_eq!(source.runs.taken(), 1, "{first}: {wait} s");
            clock.advance(Duration::from_nanos(1));
        }
        assert!(call().is_ok());
        assert_eq!(source.runs.taken(), 1, "it succeeds");
    }
}

#[test]
fn grace_ends_when_it_ends_however_often_it_was_served() {
    let source = Source::default();
    let (runtime, clock) = expired(&source, u64::MAX);
    let minutes = GRACE.as_secs() / 60;
    for _ in 1..minutes {
        assert_eq!(runtime.with(|| number(&source)), Ok(1));
        clock.advance(60 * SECOND);
    }
    clock.advance(60 * SECOND - Duration::from_nanos(1));
    assert_eq!(runtime.with(|| number(&source)), Ok(1));
    clock.advance(Duration::from_nanos(1));
    assert!(runtime.with(|| number(&source)).is_err());
}

/// C1: what was invalidated is never served, failure or not.
#[test]
fn an_invalidation_ends_it_at_once() {
    let source = Source::default();
    let (runtime, _) = expired(&source, u64::MAX);
    assert_eq!(runtime.with(|| number(&source)), Ok(1));
    runtime.with(|| blocking::invalidate_tag("grace")).unwrap();
    assert_eq!(runtime.with(|| number(&source)), Err(Fault(3)));
}

/// The same while the attempt that fails is under way.
#[test]
fn what_is_invalidated_while_the_attempt_fails_is_not_served() {
    let (runtime, clock) = fresh();
    assert_eq!(runtime.with(|| slow(&Stage::open(), false)), Ok(1));
    clock.advance(TTL);
    let stage = Arc::new(Stage::default());
    let leader = {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("the caller that computes", move || runtime.with(|| slow(&stage, true)))
    };
    stage.entered.wait("its body");
    runtime.with(|| blocking::invalidate_tag("grace under way")).unwrap();
    stage.leave.open();
    assert_eq!(leader.ended(), Err(Fault(1)));
}

#[test]
fn a_panic_serves_the_value_before() {
    let source = Source { panics: true, ..Source::default() };
    let (runtime, clock) = expired(&source, 2);
    assert_eq!(runtime.with(|| number(&source)), Ok(1));
    assert_eq!(runtime.with(number::stats).grace_hits, 1);
    // Where there is nothing to serve, it is the caller's.
    clock.advance(GRACE);
    assert!(catch_unwind(AssertUnwindSafe(|| runtime.with(|| number(&source)))).is_err());
    assert_eq!(runtime.with(|| number(&source)), Ok(4));
}

#[test]
fn a_panic_of_a_future_serves_the_value_before() {
    let (runtime, clock) = fresh();
    let source = Arc::new(Source { panics: true, ..Source::default() });
    let call = || number_async(Arc::clone(&source));
    let check = async {
        assert_eq!(call().await, Ok(1));
        clock.advance(TTL);
        source.fail(1);
        assert_eq!(call().await, Ok(1));
        assert_eq!(source.runs.so_far(), 2);
        clock.advance(SECOND);
        assert_eq!(call().await, Ok(3));
    };
    block_on(runtime.scope(check));
}

/// An error that is kept counts for as long as is said of it, and no longer.
#[test]
fn what_is_negative_is_not_served_after_its_time() {
    #[cached(ttl = "10s", negative = "2s", stale = "1m", grace = "1h", skip(source))]
    fn number(source: &Source) -> Result<u64, u64> {
        source.read().map_err(|Fault(run)| run)
    }

    let (runtime, clock) = fresh();
    let source = Source::default();
    let call = || runtime.with(|| number(&source));
    source.fail(2);
    assert_eq!([call(), call()], [Err(1), Err(1)]);
    clock.advance(2 * SECOND);
    assert_eq!(call(), Err(2));
    clock.advance(2 * SECOND);
    assert_eq!(call(), Ok(3));
    // A value comes before an error that could be kept.
    clock.advance(TTL);
    source.fail(1);
    assert_eq!([call(), call()], [Ok(3), Ok(3)]);
    assert_eq!(source.runs.so_far(), 4);
}

/// Who waits for the attempt is served, too: nobody tries on its own, although the error can't be shared.
#[test]
fn those_who_wait_for_an_attempt_that_fails_are_served() {
    let (runtime, clock) = fresh();
    assert_eq!(runtime.with(|| slow(&Stage::open(), false)), Ok(1));
    clock.advance(TTL);
    let stage = Arc::new(Stage::default());
    let start = || {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a caller", move || runtime.with(|| slow(&stage, true)))
    };
    let leader = start();
    stage.entered.wait("the leader's body");
    let waiting: Vec<_> = (0..5).map(|_| start()).collect();
    until("them to wait", || clock.sleepers() == 5);
    stage.leave.open();
    assert_eq!(leader.ended(), Ok(1));
    for caller in waiting {
        assert_eq!(caller.ended(), Ok(1));
    }
    assert_eq!(stage.calls.so_far(), 1);
}

/// A wave of callers: the body ends once all of them have called.
struct Wave {
    source: Source,
    called: AtomicU64,
}

const WAVE: u64 = 10_000;

#[cached(ttl = "10s", grace = "1h", skip(wave))]
async fn awaited(wave: Arc<Wave>) -> Result<u64, u64> {
    let read = wave.source.read();
    while wave.called.load(SeqCst) < WAVE {
        futures_lite::future::yield_now().await;
    }
    read.map_err(|Fault(run)| run)
}

/// Ten thousand at once, and at once again, whether there is a value before or not.
#[test]
fn a_stampede_on_what_fails_three_times_runs_the_body_four_times_at_most() {
    for is_known in [false, true] {
        let (runtime, clock) = fresh();
        let wave = Arc::new(Wave { source: Source::default(), called: AtomicU64::new(WAVE) });
        let stampede = async {
            if is_known {
                assert_eq!(awaited(Arc::clone(&wave)).await, Ok(1));
                wave.source.runs.taken();
                clock.advance(TTL);
            }
            wave.source.fail(3);
            // The back-off lasts a second, then two, then four.
            for (round, pause) in [0, 1, 2, 4].into_iter().enumerate() {
                clock.advance(pause * SECOND);
                wave.called.store(0, SeqCst);
                let call = || {
                    let wave = Arc::clone(&wave);
                    tokio::spawn(larder::inherit(async move {
                        let mut call = pin!(awaited(Arc::clone(&wave)));
                        let served = futures_lite::future::poll_once(&mut call).await;
                        wave.called.fetch_add(1, SeqCst);
                        match served {
                            Some(served) => served,
                            None => call.await,
                        }
                    }))
                };
                let calls: Vec<_> = (0..WAVE).map(|_| call()).collect();
                let mut failed = 0;
                for call in calls {
                    failed += u64::from(call.await.unwrap().is_err());
                }
                let runs = wave.source.runs.so_far();
                assert_eq!(runs, round as u64 + 1, "one attempt for all that come together");
                let (all, is_last) = (if is_known { 0 } else { WAVE }, round == 3);
                assert_eq!(failed, if is_last { 0 } else { all }, "of wave {round}");
            }
            assert!(awaited(Arc::clone(&wave)).await.is_ok());
            assert_eq!(wave.source.runs.so_far(), 4);
        };
        block_on(runtime.scope(stampede));
    }
}

/// What is made of a former value ends with that, and is new nevertheless.
#[test]
fn f1_what_is_made_of_a_former_value_is_computed_once_for_all_who_wait() {
    #[cached(skip(source, stage))]
    fn outer(source: &Source, stage: &Stage) -> u64 {
        let read = number(source).unwrap_or_default();
        stage.act();
        read
    }

    let source = Arc::new(Source::default());
    let (runtime, _clock) = expired(&source, 100);
    let stage = Arc::new(Stage::default());
    let callers: Vec<_> = (0..5)
        .map(|_| {
            let (runtime, source, stage) =
                (runtime.clone(), Arc::clone(&source), Arc::clone(&stage));
            run("a caller", move || runtime.with(|| outer(&source, &stage)))
        })
        .collect();
    stage.entered.wait("the body");
    until("the others to follow", || runtime.with(outer::stats).misses() == 5);
    stage.leave.open();
    for caller in callers {
        assert_eq!(caller.ended(), 1);
    }
    assert_eq!(stage.calls.so_far(), 1);
}

#[test]
fn whoever_is_served_in_grace_is_counted_once_also_who_waited_for_the_failure() {
    let (runtime, clock) = fresh();
    runtime.with(|| slow(&Stage::open(), false)).unwrap();
    clock.advance(TTL);
    let stage = Arc::new(Stage::default());
    let call = || {
        let (runtime, stage) = (runtime.clone(), Arc::clone(&stage));
        run("a call", move || runtime.with(|| slow(&stage, true)))
    };
    let first = call();
    stage.entered.wait("the body");
    let others = [call(), call(), call()];
    until("the others to wait", || clock.sleepers() >= 3);
    stage.leave.open();
    assert_eq!(first.ended(), Ok(1));
    assert_eq!(others.map(|it| it.ended()), [Ok(1), Ok(1), Ok(1)]);
    let stats = runtime.with(slow::stats);
    assert_eq!((stats.grace_hits, stats.joins, stats.computations), (4, 3, 2));
}

#[test]
fn who_left_before_the_failure_is_counted_once() {
    #[cached(ttl = "10s", grace = "1h", timeout = "1s", skip(stage, fails))]
    fn hurried(stage: &Arc<Stage>, fails: bool) -> Result<u64, String> {
        let call = stage.act();
        if fails { Err("on purpose".to_owned()) } else { Ok(call) }
    }

    let (runtime, clock) = fresh();
    runtime.with(|| hurried(&Arc::new(Stage::open()), false)).unwrap();
    clock.advance(TTL);
    let stage = Arc::new(Stage::default());
    let (inside, given) = (runtime.clone(), Arc::clone(&stage));
    let caller = run("the caller", move || inside.with(|| hurried(&given, true)));
    stage.entered.wait("the body");
    until("the caller to wait", || clock.sleepers() >= 1);
    clock.advance(SECOND);
    assert_eq!(caller.ended(), Ok(1));
    stage.leave.open();
    until("the failure", || runtime.with(hurried::stats).failures == 1);
    until("its end", || runtime.with(hurried::explain).to_string().contains("tried again"));
    let stats = runtime.with(hurried::stats);
    assert_eq!((stats.grace_hits, stats.timeouts), (1, 1));
}
