//! Counters: exact numbers, whoever counts, and all functions in one table.

use crate::support::{Calls, everywhere, everywhere_alone, fresh, run};
use larder::{FunctionStats, Level, blocking, cached};
use std::time::Duration;

fn of<'a>(stats: &'a larder::Stats, name: &str) -> &'a FunctionStats {
    stats.functions.iter().find(|it| it.name == name).unwrap()
}

#[test]
fn hits_of_many_threads_are_counted_one_by_one() {
    const THREADS: u64 = 8;
    const HITS: u64 = 5_000;

    #[cached(name = "counters-threads")]
    fn number(id: u64) -> u64 {
        id
    }

    everywhere(|| {
        number(1);
        let before = number::stats().hits;
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let calls = larder::inherit(async {
                    for _ in 0..HITS {
                        number(1);
                    }
                });
                run("a calling thread", || futures_lite::future::block_on(calls))
            })
            .collect();
        for thread in threads {
            thread.ended();
        }
        // The threads are gone, their hits are not.
        assert_eq!(number::stats().hits - before, THREADS * HITS);
        assert_eq!(number::stats().hits - before, THREADS * HITS);
        assert_eq!(of(&larder::stats(), "counters-threads").hits, number::stats().hits);
        let ages = number::stats().age_at_serve.count();
        assert!(ages <= number::stats().hits, "a sample of the hits");
    });
}

#[test]
fn every_look_up_is_a_hit_or_a_miss_with_a_reason() {
    #[cached(ttl = "10s", tags("counters-reason"))]
    fn number(id: u64) -> u64 {
        id
    }

    everywhere_alone(|clock| {
        let before = number::stats();
        number(1);
        number(1);
        clock.advance(Duration::from_secs(10));
        number(1);
        blocking::invalidate_tag("counters-reason").unwrap();
        number(1);
        number(1);
        let after = number::stats();
        let misses = [
            after.misses_absent - before.misses_absent,
            after.misses_expired - before.misses_expired,
            after.misses_invalidated - before.misses_invalidated,
        ];
        assert_eq!(misses, [1, 1, 1]);
        assert_eq!(after.misses() - before.misses(), 3);
        assert_eq!(after.hits - before.hits, 2);
        assert_eq!(after.computations - before.computations, 3);
        assert_eq!(after.stores - before.stores, 3);
        assert_eq!(after.computation_time.count() - before.computation_time.count(), 3);
        number::invalidate(1).unwrap();
        number::invalidate_all().unwrap();
        let after = number::stats();
        assert_eq!(after.invalidations_key - before.invalidations_key, 1);
        assert_eq!(after.invalidations_function - before.invalidations_function, 1);
        assert_eq!(after.entries, 0, "an entry invalidated by its key is not kept");
    });
}

#[test]
fn computations_are_timed_by_the_injected_clock() {
    #[cached(skip(clock))]
    fn slow(clock: &larder::testing::ManualClock) -> u64 {
        clock.advance(Duration::from_millis(3));
        1
    }

    let (runtime, clock) = fresh();
    runtime.with(|| slow(&clock));
    let times = runtime.with(slow::stats).computation_time;
    let median = times.quantile(0.5).unwrap();
    let around = Duration::from_millis(3)..Duration::from_millis(6);
    assert!(around.contains(&median), "{median:?}");
}

#[test]
fn failures_and_negative_hits_are_counted() {
    #[cached(negative = "1h")]
    fn refuse(id: u64) -> Result<u64, u64> {
        if id == 0 { Err(0) } else { Ok(id) }
    }

    #[cached]
    fn fails(id: u64) -> Result<u64, u64> {
        Err(id)
    }

    everywhere(|| {
        for _ in 0..100 {
            let _ = (refuse(0), refuse(1), fails(1));
        }
        let (kept, unkept) = (refuse::stats(), fails::stats());
        assert_eq!((kept.failures, kept.computations, kept.hits), (1, 2, 198));
        assert_eq!(kept.negative_hits, 99);
        assert_eq!((unkept.failures, unkept.computations, unkept.stores), (100, 100, 0));
    });
}

#[test]
fn invalidations_are_counted_by_kind() {
    let (runtime, _) = fresh();
    runtime.with(|| {
        blocking::invalidate_tag("a").unwrap();
        blocking::invalidate_tags(["a", "b"]).unwrap();
        blocking::invalidate_tagged_with_all(["a", "b"]).unwrap();
        blocking::invalidate_pattern("a*").unwrap();
        blocking::invalidate_function("a").unwrap();
        blocking::invalidate_all().unwrap();
        let stats = larder::stats();
        assert_eq!(stats.invalidations_tags, 3);
        assert_eq!(stats.invalidations_patterns, 1);
        assert_eq!(stats.invalidations_functions, 1);
        assert_eq!(stats.invalidations_everything, 1);
        assert!(stats.records > 0);
    });
}

#[test]
fn functions_that_were_never_called_are_listed_with_their_options() {
    #[cached(
        name = "counters-never-called",
        ttl = "90s",
        negative = "5s",
        capacity = 7,
        version = 3,
        wait = "2s",
        context,
        tags("counters:{id}"),
        key = "counters:{id}"
    )]
    fn never(id: u64) -> Option<u64> {
        Some(id)
    }

    everywhere(|| {
        let stats = larder::stats();
        let never = of(&stats, "counters-never-called");
        assert_eq!((never.hits, never.misses(), never.computations), (0, 0, 0));
        let options = &never.options;
        assert_eq!(options.function, "never");
        assert!(options.module.ends_with("counters"));
        assert!(options.file.ends_with("counters.rs"));
        assert!(options.line > 0);
        assert_eq!(options.name, Some("counters-never-called"));
        assert_eq!(options.ttl, Some(Duration::from_secs(90)));
        assert_eq!(options.negative, Some(Duration::from_secs(5)));
        assert_eq!((options.capacity, options.weigh), (7, None));
        assert_eq!(options.version, 3);
        assert_eq!(options.wait, Duration::from_secs(2));
        assert_eq!(options.tags, ["counters:{id}"]);
        assert_eq!(options.key, Some("counters:{id}"));
        assert_eq!(options.keyed, larder::Keyed::CONTEXT);
        assert_eq!(options.tiers, [Level::L1]);
        assert_eq!((options.when, options.weigh, options.runtime), (None, None, None));
        assert_eq!((options.ttl_for, options.cache_if, options.tags_for), (None, None, None));
    });
}

#[test]
fn what_an_attribute_names_is_listed_as_it_is_written() {
    mod judged {
        use std::time::Duration;

        pub(super) fn weight(_: &Option<u64>) -> usize {
            1
        }

        pub(super) fn ttl(_: &Option<u64>) -> Duration {
            Duration::from_secs(1)
        }

        pub(super) fn tags(_: &Option<u64>) -> [&'static str; 0] {
            []
        }
    }

    #[cached(
        name = "counters-written",
        tier(l1),
        skip(runtime),
        capacity = 7,
        weigh = judged::weight,
        when = id > 0 && !name.is_empty(),
        ttl_for = judged::ttl,
        cache_if = Option::is_some,
        tags_for = judged::tags,
        runtime = runtime.clone()
    )]
    fn written(id: u64, name: &str, runtime: &larder::Runtime) -> Option<u64> {
        name.parse().ok().map(|it: u64| it + id)
    }

    everywhere(|| {
        let stats = larder::stats();
        let options = &of(&stats, "counters-written").options;
        assert_eq!(options.tiers, [Level::L1]);
        assert_eq!(options.weigh, Some("judged::weight"));
        assert_eq!(options.when, Some("id > 0 && !name.is_empty()"));
        assert_eq!(options.ttl_for, Some("judged::ttl"));
        assert_eq!(options.cache_if, Some("Option::is_some"));
        assert_eq!(options.tags_for, Some("judged::tags"));
        assert_eq!(options.runtime, Some("runtime.clone()"));
    });
}

#[test]
fn methods_and_generic_functions_are_listed_once() {
    struct Shop;

    impl Shop {
        #[cached(skip(self))]
        fn price_for_the_list<T: 'static>(&self, id: u64) -> u64 {
            id
        }
    }

    everywhere(|| {
        Shop.price_for_the_list::<u8>(1);
        Shop.price_for_the_list::<u16>(1);
        let stats = larder::stats();
        let listed: Vec<_> =
            stats.functions.iter().filter(|it| it.name.contains("price_for_the_list")).collect();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].computations, 2);
        assert!(listed[0].name.ends_with("Shop::price_for_the_list"), "{}", listed[0].name);
    });
}

#[test]
fn statistics_read_as_a_table() {
    static CALLS: Calls = Calls::new();

    #[cached(name = "counters-table")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        for _ in 0..4 {
            number(1);
        }
        blocking::invalidate_tag("counters-nothing").unwrap();
        let table = larder::stats().to_string();
        let lines: Vec<_> = table.lines().collect();
        let [head, row, idle, invalidations] = lines[..] else { panic!("{table}") };
        let columns: Vec<_> = head.split_whitespace().collect();
        let expected = [
            "function",
            "hits",
            "rate",
            "misses",
            "computed",
            "failed",
            "entries",
            "evicted",
            "computation",
        ];
        assert_eq!(columns, expected);
        let cells: Vec<_> = row.split_whitespace().take(8).collect();
        assert_eq!(cells, ["counters-table", "3", "75.0%", "1", "1", "0", "1", "0"]);
        assert!(idle.ends_with("not called yet"), "{idle}");
        let counted = "invalidations: 1 by tag, 0 by pattern, 0 by function, 0 of everything";
        assert_eq!(invalidations, counted);
    });
}

#[test]
fn a_hit_rate_is_a_share_of_the_look_ups() {
    #[cached]
    fn number(id: u64) -> u64 {
        id
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        let rate = || (number::stats().hit_rate() * 1_000.0).round();
        assert_eq!(rate().to_bits(), 0.0_f64.to_bits());
        (0..3).for_each(|_| assert_eq!(number(1), 1));
        number(2);
        assert_eq!(rate().to_bits(), 500.0_f64.to_bits());
    });
}
