//! Filling a cache before it is asked: many calls, so many at a time, none stopped by another's failure.

use crate::support::{Calls, block_on, fresh, in_a_process, until};
use larder::{Options, Progress, Warming, cached};
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// How many there are at a time, and were at most.
#[derive(Default)]
struct Crowd {
    now: AtomicU64,
    most: AtomicU64,
}

impl Crowd {
    fn enter(&self) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }
}

#[cached(skip(calls))]
fn half(number: u64, calls: &Calls) -> Result<u64, String> {
    calls.note();
    assert!(number != 13, "on purpose");
    if number.is_multiple_of(2) { Ok(number / 2) } else { Err(format!("{number} is odd")) }
}

#[cached(skip(calls))]
async fn half_async(number: u64, calls: &Calls) -> Result<u64, String> {
    calls.note();
    futures_lite::future::yield_now().await;
    assert!(number != 13, "on purpose");
    if number.is_multiple_of(2) { Ok(number / 2) } else { Err(format!("{number} is odd")) }
}

/// Of the numbers from 10 to 19: which calls failed, and which of those panicked.
const FAILURES: [(u64, bool); 5] = [(1, false), (3, true), (5, false), (7, false), (9, false)];

fn failures(warmed: &larder::Warmed) -> Vec<(u64, bool)> {
    warmed.failures.iter().map(|it| (it.position, it.panicked)).collect()
}

#[test]
fn failures_are_collected_and_what_is_there_is_skipped() {
    let (runtime, _) = fresh();
    let calls = Calls::new();
    for warm in 0..2 {
        let of = (10..20).map(|number| (number, &calls));
        let warmed = runtime.with(|| {
            if warm == 0 {
                half::warm(of)
            } else {
                half::warm_with(Warming::new().concurrency(3), of)
            }
        });
        assert_eq!((warmed.calls, warmed.skipped), (10, 5 * warm));
        assert_eq!(failures(&warmed), FAILURES);
        assert_eq!(calls.taken(), 10 - 5 * warm);
    }
    block_on(runtime.scope(async {
        for warm in 0..2 {
            let of = (10..20).map(|number| (number, &calls));
            let warmed = half_async::warm(of).await;
            assert_eq!((warmed.calls, warmed.skipped), (10, 5 * warm));
            assert_eq!(failures(&warmed), FAILURES);
            assert_eq!(calls.taken(), 10 - 5 * warm);
        }
    }));
}

#[test]
fn what_is_forced_is_warmed_whatever_is_there() {
    let (runtime, _) = fresh();
    let calls = Calls::new();
    let of = || [10, 12].map(|number| (number, &calls));
    runtime.with(|| {
        half::warm(of());
        for options in [Options::new().force(), Options::new().skip_read()] {
            calls.taken();
            let warmed = larder::with(options, || half::warm(of()));
            assert_eq!((warmed.calls, warmed.skipped, calls.taken()), (2, 0, 2), "{options:?}");
        }
    });
    block_on(runtime.scope(async {
        half_async::warm(of()).await;
        calls.taken();
        let warmed = larder::scope(Options::new().force(), half_async::warm(of())).await;
        assert_eq!((warmed.skipped, calls.taken()), (0, 2));
    }));
}

#[test]
fn of_each_failure_it_is_told_what_it_was() {
    #[derive(Debug)]
    struct Unshown;

    struct Mute;

    #[cached]
    fn unshown(number: u64) -> Result<u64, Unshown> {
        if number > 0 { Ok(number) } else { Err(Unshown) }
    }

    #[cached]
    fn mute(number: u64) -> Result<u64, Mute> {
        if number > 0 { Ok(number) } else { Err(Mute) }
    }

    let (runtime, _) = fresh();
    let calls = Calls::new();
    let told = |warmed: larder::Warmed| {
        warmed.failures.into_iter().map(|it| (it.to_string(), it.error)).collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    let of = || [11, 13].map(|number| (number, &calls));
    let both = [
        ("11 is odd".to_owned(), some("11 is odd")),
        ("a panic: on purpose".to_owned(), some("on purpose")),
    ];
    runtime.with(|| {
        assert_eq!(told(half::warm(of())), both);
        assert_eq!(told(unshown::warm([0, 1])), [("Unshown".to_owned(), some("Unshown"))]);
        assert_eq!(told(mute::warm([0, 1])), [("a failure".to_owned(), None)]);
    });
    block_on(runtime.scope(async { assert_eq!(told(half_async::warm(of()).await), both) }));
}

#[test]
fn so_many_calls_are_made_at_a_time_and_no_more() {
    #[cached(skip(crowd, full))]
    fn crowded(number: u64, crowd: &Crowd, full: u64) -> u64 {
        crowd.enter();
        // All that may come have come once; who is late must not be one too many.
        until("the others", || crowd.most.load(SeqCst) >= full);
        crowd.leave();
        number
    }

    #[cached(skip(crowd))]
    async fn crowded_async(number: u64, crowd: &Crowd) -> u64 {
        crowd.enter();
        for _ in 0..5 {
            futures_lite::future::yield_now().await;
        }
        crowd.leave();
        number
    }

    let (runtime, _) = fresh();
    let crowd = Crowd::default();
    let of = (0..40).map(|number| (number, &crowd, 4));
    runtime.with(|| crowded::warm_with(Warming::new().concurrency(4), of));
    assert_eq!(crowd.most.load(SeqCst), 4);

    let crowd = Crowd::default();
    let of = (0..40).map(|number| (number, &crowd));
    let warm = crowded_async::warm_with(Warming::new().concurrency(4), of);
    let warmed = block_on(runtime.scope(warm));
    assert_eq!((warmed.calls, crowd.most.load(SeqCst)), (40, 4));
}

#[test]
fn progress_is_told_after_each_call() {
    let (runtime, _) = fresh();
    let calls = Calls::new();
    runtime.with(|| half(10, &calls)).unwrap();
    let mut told = Vec::new();
    let of = (10..14).map(|number| (number, &calls));
    let warming = Warming::new().concurrency(1).progress(|it| told.push(it));
    runtime.with(|| half::warm_with(warming, of));
    let numbers = |it: &Progress| (it.done, it.of, it.skipped, it.failed);
    let told: Vec<_> = told.iter().map(numbers).collect();
    let four = Some(4);
    assert_eq!(told, [(1, four, 1, 0), (2, four, 1, 1), (3, four, 1, 1), (4, four, 1, 2)]);

    let mut last = None;
    let unknown = (10..14).filter(|it| it % 2 == 0).map(|number| (number, &calls));
    let warming = Warming::new().progress(|it| last = Some(it));
    block_on(runtime.scope(half_async::warm_with(warming, unknown)));
    assert_eq!(last.map(|it| it.to_string()).as_deref(), Some("2, 0 there already, 0 failed"));
}

#[test]
fn what_surrounds_the_call_is_there_on_every_thread() {
    let (runtime, _) = fresh();
    let calls = Calls::new();
    let of = || (10..12).map(|number| (number, &calls));
    runtime.with(|| {
        larder::with(Options::new().skip_write(), || half::warm_with(Warming::new(), of()));
        assert_eq!(half::peek(10), None, "it was to be kept nowhere");
        half::warm_with(Warming::new(), of());
        assert_eq!(half::peek(10), Some(Ok(5)));
    });
}

#[test]
fn a_future_that_is_dropped_keeps_what_was_computed() {
    let (runtime, _) = fresh();
    let calls = Calls::new();
    let of = (0..100).step_by(2).map(|number| (number, &calls));
    let warm = half_async::warm_with(Warming::new().concurrency(1), of);
    block_on(runtime.scope(async {
        let some = futures_lite::future::poll_once(warm).await;
        assert!(some.is_none());
        assert_eq!(calls.so_far(), 1);
        let rest = half_async::warm((0..100).step_by(2).map(|number| (number, &calls))).await;
        assert_eq!(rest.calls, 50);
    }));
}

static WARMED: Calls = Calls::new();

fn squares() -> Vec<u64> {
    vec![1, 2, 3]
}

#[cached(warm = squares)]
fn square(number: u64) -> u64 {
    WARMED.note();
    number * number
}

fn pairs() -> [(u64, &'static str); 2] {
    [(1, "one"), (2, "two")]
}

#[cached(warm = pairs)]
async fn named(number: u64, name: &str) -> String {
    WARMED.note();
    format!("{number} is {name}")
}

#[test]
fn what_says_what_it_is_warmed_with_is_warmed_together() {
    let (runtime, _) = fresh();
    let warmed = runtime.with(larder::blocking::warm_all);
    let of = |name: &str| {
        let mut of = warmed.iter().filter(|(it, _)| it.ends_with(name));
        of.next().map(|(_, warmed)| (warmed.calls, warmed.skipped))
    };
    assert_eq!((of("warming::named"), of("warming::square")), (Some((2, 0)), Some((3, 0))));
    assert_eq!(of("batch_freshness::squares"), Some((2, 0)), "{warmed:?}");
    assert_eq!(WARMED.so_far(), 5);
    assert_eq!(runtime.with(|| square::peek(3)), Some(9));
    let again = block_on(runtime.scope(larder::warm_all()));
    assert!(again.iter().all(|(_, it)| it.calls == it.skipped), "{again:?}");
}

#[test]
fn what_goes_past_the_cache_is_not_skipped() {
    #[cached(when = number != 3, skip(calls))]
    fn some(number: u64, calls: &Calls) -> u64 {
        calls.note();
        number
    }

    let calls = Calls::new();
    let warmed = fresh().0.with(|| some::warm([3, 1, 3].map(|number| (number, &calls))));
    assert_eq!((warmed.calls, warmed.skipped, calls.taken()), (3, 0, 3));
}

#[test]
fn what_is_served_instead_of_a_failure_is_a_failure_all_the_same() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(ttl = "10s", grace = "1h")]
    fn lenient(number: u64) -> Result<u64, String> {
        assert!(!(FAILS.load(SeqCst) && number == 3), "on purpose");
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(number) }
    }

    #[cached(batch = ids)]
    fn parts(ids: Vec<u64>) -> HashMap<u64, Result<u64, String>> {
        let part = |id: u64| if id == 7 { Err("on purpose".to_owned()) } else { Ok(id) };
        ids.into_iter().map(|id| (id, part(id))).collect()
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        assert!(lenient::warm([1, 2, 3]).failures.is_empty());
        FAILS.store(true, SeqCst);
        clock.advance(Duration::from_secs(10));
        let warmed = lenient::warm([1, 2, 3]);
        assert_eq!(failures(&warmed), [(0, false), (1, false), (2, false)]);
        assert_eq!(lenient(1), Ok(1));
        let warmed = parts::warm([vec![1, 2], vec![6, 7, 8], vec![3]]);
        assert_eq!(failures(&warmed), [(1, false)]);
        assert_eq!(parts::peek(&8), Some(Some(Ok(8))));
    });
}

#[test]
fn a_list_that_can_not_be_had_is_no_reason_to_leave_others_cold() {
    fn none() -> Vec<u64> {
        assert!(!UNLISTED.load(SeqCst), "on purpose");
        vec![1]
    }

    #[cached(warm = none)]
    fn unlisted(number: u64) -> u64 {
        number
    }

    static UNLISTED: AtomicBool = AtomicBool::new(false);

    in_a_process(|| {
        UNLISTED.store(true, SeqCst);
        let warmed = larder::blocking::warm_all();
        let of = |name: &str| warmed.iter().find(|(it, _)| it.ends_with(name)).unwrap().1.clone();
        assert_eq!(failures(&of("unlisted")), [(0, true)]);
        assert_eq!(of("warming::square").calls, 3);
    });
}

#[test]
fn what_is_near_its_end_is_there_and_nothing_is_begun_for_it() {
    #[cached(ttl = "1h", refresh = "10m", skip(calls))]
    fn near_its_end(number: u64, calls: &'static Calls) -> u64 {
        calls.note();
        number
    }

    #[cached(batch = ids, ttl = "1h", refresh = "10m", skip(calls))]
    fn all_near_their_end(ids: &[u64], calls: &'static Calls) -> HashMap<u64, u64> {
        calls.note();
        ids.iter().map(|id| (*id, *id)).collect()
    }

    static CALLS: Calls = Calls::new();
    let (runtime, clock) = fresh();
    runtime.with(|| {
        let warm = || {
            let one = near_its_end::warm((0..20).map(|number| (number, &CALLS)));
            let many = all_near_their_end::warm([(&[1, 2][..], &CALLS)]);
            (one.skipped, many.skipped)
        };
        assert_eq!(warm(), (0, 0));
        clock.advance(Duration::from_secs(55 * 60));
        assert_eq!(warm(), (20, 1));
        let refreshes = [near_its_end::stats().refreshes, all_near_their_end::stats().refreshes];
        assert_eq!((refreshes, CALLS.so_far()), ([0, 0], 21));
        near_its_end(1, &CALLS);
        assert_eq!(near_its_end::stats().refreshes, 1, "it is due");
    });
}

#[test]
fn an_error_that_panics_as_it_prints_stops_nothing() {
    struct Unprintable;

    impl fmt::Display for Unprintable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose")
        }
    }

    #[cached]
    fn unprintable(number: u64) -> Result<u64, Unprintable> {
        if number == 2 { Ok(number) } else { Err(Unprintable) }
    }

    fresh().0.with(|| {
        let expected = [(0, false), (2, false)];
        assert_eq!(failures(&unprintable::warm([1, 2, 3])), expected);
        let warming = Warming::new().concurrency(1);
        assert_eq!(failures(&unprintable::warm_with(warming, [1, 2, 3])), expected);
    });
}
