//! `refresh`: a hit near the end of a value's time has another one computed in the background.

use crate::hearing;
use crate::support::{Calls, Stage, fresh, in_a_process, run, until};
use larder::testing::ManualClock;
use larder::{Runtime, blocking, cached};
use log::LevelFilter;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Fresh for ten seconds, of which the last three have it computed anew.
#[cached(ttl = "10s", refresh = "3s", tags("refresh"), skip(stage))]
fn number(stage: &Arc<Stage>) -> u64 {
    stage.act()
}

#[cached(ttl = "10s", refresh = "3s", skip(stage))]
async fn number_async(stage: Arc<Stage>) -> u64 {
    stage.act_async().await
}

/// A runtime whose value is so old.
fn aged(stage: &Arc<Stage>, age: Duration) -> (Runtime, ManualClock) {
    let (runtime, clock) = fresh();
    assert_eq!(runtime.with(|| number(stage)), 1);
    clock.advance(age);
    (runtime, clock)
}

fn refreshed(runtime: &Runtime, value: u64) {
    until("the value to be computed anew", || runtime.with(number::peek) == Some(value));
}

#[test]
fn a_hit_near_the_end_is_served_and_has_another_computed() {
    let stage = Arc::new(Stage::open());
    let (runtime, clock) = aged(&stage, 6 * SECOND);
    assert_eq!(runtime.with(|| number(&stage)), 1);
    assert_eq!(runtime.with(number::stats).refreshes, 0, "it was not time yet");
    clock.advance(SECOND);
    assert_eq!(runtime.with(|| number(&stage)), 1);
    refreshed(&runtime, 2);
    let stats = runtime.with(number::stats);
    assert_eq!((stats.hits, stats.refreshes, stats.computations), (2, 1, 2));
    // It is as fresh as any: its time begins now.
    clock.advance(6 * SECOND);
    assert_eq!(runtime.with(|| number(&stage)), 2);
    assert_eq!(runtime.with(number::stats).refreshes, 1);
}

#[test]
fn there_is_one_computation_however_many_hits_there_are() {
    let stage = Arc::new(Stage::default());
    stage.leave.open();
    let (runtime, _clock) = aged(&stage, Duration::ZERO);
    let stage = Arc::new(Stage::default());
    let (_, clock) = (runtime.clone(), _clock);
    clock.advance(8 * SECOND);
    for _ in 0..100 {
        assert_eq!(runtime.with(|| number(&stage)), 1);
    }
    stage.entered.wait("the body");
    assert_eq!(runtime.with(|| number(&stage)), 1);
    assert_eq!(stage.calls.so_far(), 1);
    stage.leave.open();
    until("the end of the computation", || runtime.with(number::stats).computations == 2);
    assert_eq!(runtime.with(number::stats).refreshes, 1);
}

#[test]
fn what_nobody_reads_is_not_computed() {
    let stage = Arc::new(Stage::open());
    let (runtime, clock) = aged(&stage, 8 * SECOND);
    clock.advance(60 * SECOND);
    assert_eq!(runtime.with(number::stats).refreshes, 0);
    assert_eq!(stage.calls.so_far(), 1);
}

#[test]
fn c1_what_is_overtaken_by_an_invalidation_is_dropped() {
    let stage = Arc::new(Stage::open());
    let (runtime, _clock) = aged(&stage, 8 * SECOND);
    let slow = Arc::new(Stage::default());
    assert_eq!(runtime.with(|| number(&slow)), 1);
    slow.entered.wait("the body");
    runtime.with(|| blocking::invalidate_tag("refresh")).unwrap();
    slow.leave.open();
    until("it to be dropped", || runtime.with(number::stats).fenced_stores == 1);
    assert_eq!(runtime.with(number::peek), None);
}

#[test]
fn who_comes_after_its_time_waits_for_the_one_that_is_under_way() {
    let stage = Arc::new(Stage::open());
    let (runtime, clock) = aged(&stage, 8 * SECOND);
    let slow = Arc::new(Stage::default());
    runtime.with(|| number(&slow));
    slow.entered.wait("the body");
    clock.advance(5 * SECOND);
    let (inside, other) = (runtime.clone(), Arc::clone(&slow));
    let late = run("a late call", move || inside.with(|| number(&other)));
    until("it to wait", || runtime.with(number::stats).misses_expired == 1);
    slow.leave.open();
    assert_eq!(late.ended(), 1, "the first value of the second stage");
    let stats = runtime.with(number::stats);
    assert_eq!((stats.joins, stats.computations), (1, 2));
}

#[cached(ttl = "10s", refresh = "3s", skip(fails))]
fn fragile(fails: &Arc<AtomicU64>) -> Result<u64, String> {
    match fails.fetch_update(SeqCst, SeqCst, |it| it.checked_sub(1)) {
        Ok(1) => panic!("on purpose"),
        Ok(_) => Err("on purpose".to_owned()),
        Err(_) => Ok(7),
    }
}

#[test]
fn a_failure_leaves_what_is_there_and_puts_the_next_attempt_off() {
    let fails = Arc::new(AtomicU64::new(0));
    let (runtime, clock) = fresh();
    let call = || runtime.with(|| fragile(&fails));
    assert_eq!(call(), Ok(7));
    clock.advance(8 * SECOND);
    // An error first, then a panic.
    fails.store(2, SeqCst);
    for (failures, pause) in [(1, SECOND), (2, Duration::from_millis(500))] {
        assert_eq!(call(), Ok(7));
        until("the failure", || {
            let left = fails.load(SeqCst);
            left == 2 - failures
        });
        for _ in 0..10 {
            assert_eq!(call(), Ok(7));
        }
        let stats = runtime.with(fragile::stats);
        assert_eq!((stats.refreshes, stats.grace_hits), (failures, 0));
        clock.advance(pause);
    }
    assert_eq!(runtime.with(fragile::stats).computations, 2, "panics are no ends");
}

#[cfg(feature = "tokio")]
#[test]
fn futures_are_computed_where_the_call_is_made() {
    use crate::support::{block_on, until_async};

    block_on(async {
        let stage = Arc::new(Stage::open());
        let (runtime, clock) = fresh();
        runtime
            .scope(async {
                assert_eq!(number_async(Arc::clone(&stage)).await, 1);
                clock.advance(8 * SECOND);
                assert_eq!(number_async(Arc::clone(&stage)).await, 1);
                until_async("the value", || number_async::stats().stores == 2).await;
                assert_eq!(number_async(Arc::clone(&stage)).await, 2);
                assert_eq!(number_async::stats().refreshes, 1);
            })
            .await;
    });
}

#[test]
fn without_an_executor_the_caller_computes_in_place() {
    let stage = Arc::new(Stage::open());
    let (runtime, clock) = fresh();
    futures_lite::future::block_on(runtime.scope(async {
        assert_eq!(number_async(Arc::clone(&stage)).await, 1);
        clock.advance(8 * SECOND);
        assert_eq!(number_async(Arc::clone(&stage)).await, 2);
        let stats = number_async::stats();
        assert_eq!((stats.refreshes, stats.computations), (1, 2));
    }));
}

#[test]
fn that_there_is_no_executor_is_said_once() {
    in_a_process(|| {
        hearing::listen(LevelFilter::Warn, |_| ());
        let stage = Arc::new(Stage::open());
        let (runtime, clock) = fresh();
        futures_lite::future::block_on(runtime.scope(async {
            for call in 1..=3 {
                assert_eq!(number_async(Arc::clone(&stage)).await, call);
                clock.advance(8 * SECOND);
            }
        }));
        let words = ["nowhere to compute in the background", "Runtime::builder().executor(..)"];
        assert_eq!(hearing::said(&words).len(), 1);
    });
}

#[test]
fn an_executor_of_the_program_is_used() {
    let (sender, spawned) = std::sync::mpsc::channel();
    let clock = ManualClock::new();
    let runtime = Runtime::builder()
        .clock(clock.clone())
        .executor(move |future| sender.send(future).unwrap())
        .build()
        .unwrap();
    let stage = Arc::new(Stage::open());
    let call = || futures_lite::future::block_on(runtime.scope(number_async(Arc::clone(&stage))));
    assert_eq!(call(), 1);
    clock.advance(8 * SECOND);
    assert_eq!((call(), call()), (1, 1));
    futures_lite::future::block_on(spawned.try_recv().expect("nothing was spawned"));
    assert!(spawned.try_recv().is_err(), "more than one was spawned");
    assert_eq!(call(), 2);

    // What an executor throws away keeps nobody from computing.
    clock.advance(8 * SECOND);
    assert_eq!(call(), 2);
    drop(spawned.try_recv().expect("nothing was spawned"));
    assert_eq!(call(), 2);
    futures_lite::future::block_on(spawned.try_recv().expect("nothing was spawned anew"));
    assert_eq!(call(), 3);
}

#[test]
fn arguments_of_every_kind_outlive_the_call() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "10s", refresh = "3s")]
    fn all(
        text: &str,
        optional: Option<&str>,
        cow: Cow<'_, str>,
        list: &[u8],
        own: Vec<u8>,
    ) -> String {
        format!("{text} {optional:?} {cow} {list:?} {own:?} {}", CALLS.note())
    }

    #[cached(ttl = "10s", refresh = "3s")]
    fn generic<T: std::hash::Hash + Eq + Clone + Send + Sync + std::fmt::Debug + 'static>(
        all: &T,
        all_of_them: Vec<T>,
    ) -> String {
        format!("{all:?} {all_of_them:?} {}", CALLS.note())
    }

    struct Shop {
        name: &'static str,
    }

    impl Shop {
        #[cached(key(self.name, item), ttl = "10s", refresh = "3s", handle = price_entry)]
        fn price(self: Arc<Self>, item: &str) -> String {
            format!("{} {item} {}", self.name, CALLS.note())
        }
    }

    let (runtime, clock) = fresh();
    let shop = Arc::new(Shop { name: "corner" });
    let calls = || {
        runtime.with(|| {
            let text = String::from("text");
            let all = all(&text, Some(&text), Cow::Borrowed(&text), &[1, 2], vec![3]);
            [all, generic(&4_u8, vec![5]), Arc::clone(&shop).price(&text)]
        })
    };
    let first = calls();
    clock.advance(8 * SECOND);
    assert_eq!(calls(), first);
    until("all of them", || runtime.with(|| CALLS.so_far()) == 6);
    until("all of them to be stored", || {
        calls().iter().zip(&first).all(|(now, then)| {
            let strip = |text: &str| text.rsplit_once(' ').map(|it| it.0.to_owned());
            assert_eq!(strip(now), strip(then), "an argument changed on the way");
            now != then
        })
    });
}

#[test]
fn by_chance_it_is_the_likelier_the_nearer_the_end_is() {
    /// Takes a second.
    #[cached(ttl = "100s", refresh = "auto", skip(clock))]
    fn slow(clock: ManualClock) -> u64 {
        clock.advance(SECOND);
        7
    }

    let (runtime, clock) = fresh();
    runtime.with(|| slow(clock.clone()));
    let refreshes = || runtime.with(slow::stats).refreshes;
    clock.advance(89 * SECOND);
    for _ in 0..1_000 {
        runtime.with(|| slow(clock.clone()));
    }
    assert_eq!(refreshes(), 0, "ten times the time of the computation is the most that is drawn");
    // A call of 403 draws more than six seconds, so none of 20,000 with a probability of 1 in 10^21.
    clock.advance(5 * SECOND);
    for _ in 0..20_000 {
        runtime.with(|| slow(clock.clone()));
    }
    assert_eq!(refreshes(), 1);
}

#[test]
fn what_is_forced_or_only_read_is_as_ever() {
    let stage = Arc::new(Stage::open());
    let (runtime, _clock) = aged(&stage, 8 * SECOND);
    let only_read = larder::Options::new().read_only();
    assert_eq!(runtime.with(|| number::with(only_read, &stage)), 1);
    assert_eq!(runtime.with(number::stats).refreshes, 0, "it was not to write");
    assert_eq!(runtime.with(|| number::refresh(&stage)), 2);
    assert_eq!(runtime.with(|| number(&stage)), 2);
    assert_eq!(runtime.with(number::stats).refreshes, 0);
}
