//! What is said around a call: which tiers it may read and write, and for how long what it computes lasts.

use crate::support::{Calls, Stage, block_on, fresh, run};
use larder::{Level, Options, blocking, cached};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

#[cached(ttl = "1h", tags("per call"), skip(calls))]
fn number(key: u8, calls: &Calls) -> u64 {
    u64::from(key) * 1_000 + calls.note()
}

#[cached(ttl = "1h", skip(calls))]
async fn number_async(key: u8, calls: &Calls) -> u64 {
    futures_lite::future::yield_now().await;
    u64::from(key) * 1_000 + calls.note()
}

#[cached(skip(calls))]
fn outer(calls: &Calls) -> u64 {
    number(1, calls)
}

fn skip_read() -> Options {
    Options::new().skip_read()
}

#[test]
fn a_call_that_skips_reading_computes_and_stores() {
    fresh().0.with(|| {
        let calls = Calls::new();
        assert_eq!(number(1, &calls), 1_001);
        assert_eq!(larder::with(skip_read(), || number(1, &calls)), 1_002);
        assert_eq!(number(1, &calls), 1_002, "it was not stored");
    });
}

#[test]
fn a_call_that_skips_writing_reads_and_stores_nothing() {
    fresh().0.with(|| {
        let calls = Calls::new();
        let silently = Options::new().skip_write();
        assert_eq!(larder::with(silently, || number(1, &calls)), 1_001);
        assert_eq!(number::peek(1), None);
        assert_eq!(number(1, &calls), 1_002);
        assert_eq!(larder::with(silently, || number(1, &calls)), 1_002, "it did not look");
        assert_eq!(larder::with(silently.skip_read(), || number(1, &calls)), 1_003);
        assert_eq!(number(1, &calls), 1_002);
    });
}

#[test]
fn what_is_forced_is_forgotten_even_if_it_then_fails() {
    #[cached(ttl = "1h", grace = "1h", skip(fails))]
    fn fragile(fails: bool) -> u64 {
        assert!(!fails, "on purpose");
        7
    }

    fresh().0.with(|| {
        assert_eq!(fragile(false), 7);
        let force = Options::new().force();
        let forced = AssertUnwindSafe(|| larder::with(force, || fragile(true)));
        assert!(catch_unwind(forced).is_err());
        assert_eq!(fragile::peek(), None);

        fragile(false);
        let past = AssertUnwindSafe(|| larder::with(skip_read(), || fragile(true)));
        assert!(catch_unwind(past).is_err());
        assert_eq!(fragile::peek(), Some(7), "what skips reading leaves what is there");
    });
}

#[test]
fn what_is_in_flight_when_a_call_is_forced_is_not_stored() {
    let (runtime, _) = fresh();
    let stage = Arc::new(Stage::default());

    #[cached(skip(stage))]
    fn staged(stage: &Stage) -> u64 {
        stage.act()
    }

    let (inside, first) = (runtime.clone(), Arc::clone(&stage));
    let early = run("the first call", move || inside.with(|| staged(&first)));
    stage.entered.wait("the first body");
    stage.leave.open();
    let later = runtime.with(|| larder::with(Options::new().force(), || staged(&stage)));
    let early = early.ended();
    assert!(later >= early, "{later} was computed before {early}");
    assert_eq!(runtime.with(staged::peek), Some(later));
}

#[test]
fn where_nothing_is_written_what_is_forced_stays_too() {
    fresh().0.with(|| {
        let calls = Calls::new();
        number(1, &calls);
        let forced = larder::with(Options::new().force().read_only(), || number(1, &calls));
        assert_eq!((forced, number(1, &calls)), (1_002, 1_001));
    });
}

#[test]
fn the_tiers_that_are_left_out_are_not_asked() {
    fresh().0.with(|| {
        let calls = Calls::new();
        number(1, &calls);
        let elsewhere = Options::new().tiers([Level::L2]);
        assert_eq!(larder::with(elsewhere, || number(1, &calls)), 1_002);
        assert_eq!(number(1, &calls), 1_001, "what was left out was written");
        assert_eq!(larder::with(Options::new().tiers([Level::L1]), || number(1, &calls)), 1_001);
    });
}

#[test]
fn a_time_to_live_that_is_said_holds_for_what_is_computed() {
    let (runtime, clock) = fresh();
    runtime.with(|| {
        let calls = Calls::new();
        let short = Options::new().ttl(Duration::from_secs(5));
        larder::with(short, || number(1, &calls));
        number(2, &calls);
        clock.advance(Duration::from_secs(5));
        assert_eq!((number::peek(1), number::peek(2)), (None, Some(2_002)));
        larder::with(Options::new().ttl(Duration::from_secs(86_400)), || number(1, &calls));
        clock.advance(Duration::from_secs(7_200));
        assert_eq!((number::peek(1), number::peek(2)), (Some(1_003), None));
    });
}

#[test]
fn they_nest_and_are_put_back_afterwards() {
    fresh().0.with(|| {
        let calls = Calls::new();
        number(1, &calls);
        larder::with(Options::new().skip_write(), || {
            larder::with(skip_read(), || {
                assert_eq!(number(1, &calls), 1_002);
            });
            assert_eq!(
                number(1, &calls),
                1_001,
                "the inner ones held on, or the outer ones did not"
            );
        });
        let panicking = AssertUnwindSafe(|| larder::with(skip_read(), || panic!("on purpose")));
        assert!(catch_unwind(panicking).is_err());
        assert_eq!(number(1, &calls), 1_001);
    });
}

#[test]
fn they_are_not_for_what_a_body_calls_in_turn() {
    fresh().0.with(|| {
        let calls = Calls::new();
        assert_eq!(outer(&calls), 1_001);
        assert_eq!(larder::with(skip_read(), || outer(&calls)), 1_001);
        assert_eq!(calls.so_far(), 1);
    });
}

#[test]
fn they_are_not_for_what_is_called_past_the_cache_either() {
    #[cached(when = false, skip(calls))]
    fn never(calls: &Calls) -> u64 {
        number(1, calls)
    }

    #[cached(when = false, skip(calls))]
    async fn never_async(calls: &Calls) -> u64 {
        number_async(1, calls).await
    }

    let calls = Calls::new();
    fresh().0.with(|| {
        number(1, &calls);
        assert_eq!(larder::with(skip_read(), || never(&calls)), 1_001);
    });
    block_on(fresh().0.scope(async {
        let first = number_async(1, &calls).await;
        assert_eq!(larder::scope(skip_read(), never_async(&calls)).await, first);
    }));
}

#[test]
fn they_cross_every_await() {
    block_on(fresh().0.scope(async {
        let calls = Calls::new();
        let both = larder::scope(Options::new().skip_write(), async {
            let one = number_async(1, &calls).await;
            futures_lite::future::yield_now().await;
            (one, number_async(1, &calls).await)
        });
        assert_eq!(both.await, (1_001, 1_002));
        assert_eq!(number_async(1, &calls).await, 1_003);
        assert_eq!(number_async(1, &calls).await, 1_003);
    }));
}

#[test]
fn the_companion_takes_them_too() {
    let calls = Calls::new();
    fresh().0.with(|| {
        number(1, &calls);
        assert_eq!(number::with(skip_read(), 1, &calls), 1_002);
    });
    block_on(fresh().0.scope(async {
        number_async(1, &calls).await;
        assert_eq!(number_async::with(skip_read(), 1, &calls).await, 1_004);
    }));
}

#[test]
fn what_was_computed_without_being_stored_is_still_a_part_of_what_is() {
    #[cached(skip(calls))]
    fn made_of(calls: &Calls) -> u64 {
        larder::with(Options::new().skip_write(), || number(1, calls))
    }

    fresh().0.with(|| {
        let calls = Calls::new();
        assert_eq!((made_of(&calls), made_of::peek()), (1_001, Some(1_001)));
        blocking::invalidate_tag("per call").unwrap();
        assert_eq!(made_of::peek(), None, "it does not know what it was made of");
    });
}

#[test]
fn what_may_not_be_written_is_not_put_either_and_leaves_what_there_is() {
    #[cached]
    fn number(id: u64) -> u64 {
        id
    }

    let (runtime, _clock) = fresh();
    runtime.with(|| {
        assert_eq!(number(1), 1);
        for options in [Options::new().read_only(), Options::new().skip_write()] {
            larder::with(options, || number::put(1, 5));
            assert_eq!(number::peek(1), Some(1), "{options:?}");
        }
        number::put(1, 5);
        assert_eq!(number::peek(1), Some(5));
    });
}
