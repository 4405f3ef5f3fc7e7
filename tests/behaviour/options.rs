//! What the options of the attribute promise, each by what it does.

use crate::support::{Calls, everywhere, everywhere_alone, everywhere_async_alone, fresh};
use larder::testing::ManualClock;
use larder::{Runtime, cached};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_value_is_fresh_for_its_time_to_live() {
    static CALLS: Calls = Calls::new();

    #[cached(ttl = "10s")]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(ttl = "10s")]
    async fn number_async(id: u64) -> String {
        CALLS.note();
        id.to_string()
    }

    everywhere_async_alone(|clock: ManualClock| async move {
        let call = async || {
            assert_eq!(number(1).to_string(), number_async(1).await);
            CALLS.taken()
        };
        assert_eq!(call().await, 2);
        clock.advance(Duration::from_millis(9_999));
        for _ in 0..100 {
            assert_eq!(call().await, 0);
        }
        clock.advance(Duration::from_millis(1));
        assert_eq!(call().await, 2);
        clock.advance(9 * SECOND);
        assert_eq!(call().await, 0, "a hit does not renew a value");
        clock.advance(SECOND);
        assert_eq!(call().await, 2);
        assert!(number::stats().misses_expired >= 2);
    });
}

#[test]
fn without_a_time_to_live_a_value_is_kept() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_alone(|clock| {
        number(1);
        clock.advance(Duration::from_secs(100 * 365 * 24 * 3_600));
        number(1);
        assert_eq!(CALLS.taken(), 1);
    });
}

#[test]
fn the_time_to_live_can_be_said_of_each_value() {
    static CALLS: Calls = Calls::new();

    fn seconds(value: &u64) -> Option<Duration> {
        (*value < 100).then(|| Duration::from_secs(*value))
    }

    fn always(value: &u64) -> Duration {
        Duration::from_secs(*value)
    }

    #[cached(ttl = "10s", ttl_for = seconds)]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    #[cached(ttl_for = always)]
    fn said(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere_alone(|clock| {
        let ran = |id| (number(id), said(id), CALLS.taken()).2;
        assert_eq!((ran(3), ran(20), ran(100)), (2, 2, 2));
        clock.advance(3 * SECOND);
        assert_eq!((ran(3), ran(20), ran(100)), (2, 0, 0));
        clock.advance(7 * SECOND);
        assert_eq!((ran(20), ran(100)), (0, 1), "nothing said is the function's own");
        clock.advance(10 * SECOND);
        assert_eq!(ran(20), 2);
        assert_eq!((ran(0), ran(0)), (2, 2), "no time at all is not kept");
    });
}

#[test]
fn a_capacity_is_held() {
    #[cached(capacity = 100)]
    fn small(id: u64) -> u64 {
        id
    }

    #[cached(capacity = 5_000)]
    fn larger(id: u64) -> u64 {
        id
    }

    #[cached]
    fn usual(id: u64) -> u64 {
        id
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        for id in 0..30_000 {
            assert_eq!((small(id), larger(id), usual(id)), (id, id, id));
        }
        for (stats, capacity) in
            [(small::stats(), 100), (larger::stats(), 5_000), (usual::stats(), 10_000)]
        {
            let entries = stats.entries;
            assert!(entries <= capacity, "{entries} entries where {capacity} are allowed");
            assert!(entries > capacity / 2, "{entries} entries where {capacity} are allowed");
            assert!(stats.evictions_capacity > 0);
        }
    });
}

#[test]
fn a_capacity_of_one_keeps_one() {
    static CALLS: Calls = Calls::new();

    #[cached(capacity = 1)]
    fn single(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        for id in 0..10 {
            single(id);
            assert!(single::stats().entries <= 1);
        }
        CALLS.taken();
        single(10);
        single(10);
        single(10);
        assert!(CALLS.taken() <= 2, "what was just computed is kept");
    });
}

#[test]
fn what_fits_is_not_evicted() {
    static CALLS: Calls = Calls::new();

    #[cached(capacity = 50)]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        for _ in 0..10 {
            (0..50).for_each(|id| assert_eq!(number(id), id));
        }
        assert_eq!(CALLS.taken(), 50);
    });
}

#[test]
fn a_weighed_capacity_is_held_by_weight() {
    fn length(value: &String) -> usize {
        value.len()
    }

    #[cached(capacity = 10_000, weigh = length)]
    fn text(id: u64, size: usize) -> String {
        let _ = id;
        "x".repeat(size)
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        for id in 0..200 {
            assert_eq!(text(id, 500).len(), 500);
            assert!(text::stats().weight <= 10_000);
        }
        assert!(text::stats().entries > 10, "{} entries", text::stats().entries);
        assert!(text::stats().evictions_capacity > 0);
        assert_eq!(text(0, 10_001).len(), 10_001);
        assert_eq!(text::stats().evictions_oversized, 1);
        assert_eq!(text::peek(0, 10_001), None);
    });
}

#[test]
fn a_value_lighter_than_the_capacity_is_kept() {
    fn length(value: &String) -> usize {
        value.len()
    }

    #[cached(capacity = 1_000_000, weigh = length)]
    fn text(size: usize) -> String {
        "x".repeat(size)
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        text(500_000);
        assert_eq!(text::peek(500_000).map(|it| it.len()), Some(500_000));
    });
}

#[test]
fn a_value_without_weight_still_counts() {
    fn nothing(_: &u64) -> u64 {
        0
    }

    #[cached(capacity = 100, weigh = nothing)]
    fn number(id: u64) -> u64 {
        id
    }

    let (runtime, _) = fresh();
    runtime.with(|| {
        (0..1_000).for_each(|id| assert_eq!(number(id), id));
        assert!(number::stats().entries <= 100);
    });
}

#[test]
fn a_call_for_which_when_is_false_bypasses_the_cache() {
    static CALLS: Calls = Calls::new();

    #[cached(when = !name.is_empty())]
    fn length(name: &str) -> usize {
        CALLS.note();
        name.len()
    }

    everywhere(|| {
        let before = length::stats().bypasses_when;
        for _ in 0..3 {
            length("");
            length("a");
        }
        assert_eq!(CALLS.taken(), 4);
        assert_eq!(length::stats().bypasses_when - before, 3);
        length::invalidate("a").unwrap();
    });
}

#[test]
fn an_err_is_never_cached_and_a_none_is() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn fails(id: u64) -> Result<u64, u64> {
        CALLS.note();
        Err(id)
    }

    #[cached]
    async fn fails_async(id: u64) -> Result<u64, u64> {
        CALLS.note();
        Err(id)
    }

    #[cached]
    fn absent(id: u64) -> Option<u64> {
        CALLS.note();
        let _ = id;
        None
    }

    everywhere_async_alone(|_| async {
        for _ in 0..3 {
            assert_eq!(fails(1), Err(1));
            assert_eq!(fails_async(1).await, Err(1));
        }
        assert_eq!(CALLS.taken(), 6);
        assert_eq!(fails::stats().entries, 0);
        for _ in 0..3 {
            assert_eq!(absent(1), None);
        }
        assert_eq!(CALLS.taken(), 1);
        absent::invalidate(1).unwrap();
    });
}

#[test]
fn a_negative_value_has_a_time_to_live_of_its_own() {
    static CALLS: Calls = Calls::new();

    type Outcome<T> = Result<T, String>;
    type Maybe = Option<u64>;

    #[cached(ttl = "10s", negative = "2s")]
    fn outcome(id: u64) -> Outcome<u64> {
        CALLS.note();
        if id == 0 { Err("none".to_owned()) } else { Ok(id) }
    }

    #[cached(ttl = "10s", negative = "2s")]
    fn maybe(id: u64) -> Maybe {
        CALLS.note();
        (id > 0).then_some(id)
    }

    everywhere_alone(|clock| {
        let ran = |id| (outcome(id).is_err(), maybe(id), CALLS.taken()).2;
        let before = outcome::stats().negative_hits + maybe::stats().negative_hits;
        assert_eq!((ran(0), ran(1)), (2, 2));
        assert_eq!((ran(0), ran(1)), (0, 0));
        let after = outcome::stats().negative_hits + maybe::stats().negative_hits;
        assert_eq!(after - before, 2);
        clock.advance(2 * SECOND);
        assert_eq!((ran(0), ran(1)), (2, 0));
        clock.advance(8 * SECOND);
        assert_eq!((ran(0), ran(1)), (2, 2));
    });
}

#[test]
fn an_alias_means_what_it_stands_for() {
    static CALLS: Calls = Calls::new();

    mod names {
        pub(super) type Result<T> = std::result::Result<T, String>;
        pub(super) type Answer = Result<u64>;
        #[derive(Clone, Debug, PartialEq)]
        pub(super) enum Option<T> {
            None,
            Some(T),
        }
    }

    #[cached]
    fn aliased(id: u64) -> names::Answer {
        CALLS.note();
        Err(id.to_string())
    }

    #[cached]
    fn own(id: u64) -> names::Option<u64> {
        CALLS.note();
        if id == 0 { names::Option::None } else { names::Option::Some(id) }
    }

    everywhere(|| {
        assert_eq!((aliased(1), aliased(1)), (Err("1".to_owned()), Err("1".to_owned())));
        assert_eq!(CALLS.taken(), 2, "a failure by any name is not cached");
        assert_eq!((own(0), own(0)), (names::Option::None, names::Option::None));
        assert_eq!(own(1), names::Option::Some(1));
        assert_eq!(CALLS.taken(), 2, "what only looks like an option is a plain value");
        own::invalidate_all().unwrap();
    });
}

#[test]
fn cache_if_decides_what_is_kept() {
    static CALLS: Calls = Calls::new();

    fn is_even(value: &u64) -> bool {
        value.is_multiple_of(2)
    }

    #[cached(cache_if = is_even)]
    fn number(id: u64) -> u64 {
        CALLS.note();
        id
    }

    everywhere(|| {
        for _ in 0..3 {
            assert_eq!((number(1), number(2)), (1, 2));
        }
        assert_eq!(CALLS.taken(), 4);
        number::invalidate_all().unwrap();
    });
}

#[test]
fn a_name_and_a_version_are_what_stats_and_digests_show() {
    #[cached(name = "options-named", version = 2)]
    fn number(id: u64) -> u64 {
        id
    }

    #[cached(name = "options-named", version = 3)]
    fn next(id: u64) -> u64 {
        id + 1
    }

    everywhere(|| {
        assert_eq!((number(1), next(1), number(1)), (1, 2, 1));
        assert_eq!(number::stats().name, "options-named");
        assert_eq!(number::stats().options.version, 2);
        let (one, other) = (number::call_context(1), next::call_context(1));
        assert_eq!((one.function.as_str(), one.version), ("options-named", 2));
        assert_ne!(one.hash64(), other.hash64());
    });
}

#[test]
fn a_runtime_expression_is_evaluated_for_each_call() {
    static CALLS: Calls = Calls::new();

    struct Shop {
        runtime: Runtime,
    }

    impl Shop {
        #[cached(skip(self), runtime = self.runtime, handle = price_entry)]
        fn price(&self, id: u64) -> u64 {
            CALLS.note();
            id
        }
    }

    #[cached(skip(runtime), runtime = runtime, tags("options-runtime"))]
    fn number(id: u64, runtime: &Runtime) -> u64 {
        CALLS.note();
        id
    }

    let shops = [fresh().0, fresh().0].map(|runtime| Shop { runtime });
    let (somewhere, _) = fresh();
    somewhere.with(|| {
        for _ in 0..3 {
            for shop in &shops {
                shop.price(1);
                number(1, &shop.runtime);
            }
        }
        assert_eq!(CALLS.taken(), 4);
        shops[0].price_entry(1).invalidate().unwrap();
        futures_lite::future::block_on(shops[1].runtime.invalidate_tag("options-runtime")).unwrap();
        for shop in &shops {
            shop.price(1);
            number(1, &shop.runtime);
        }
        assert_eq!(CALLS.taken(), 2);
        // The root's functions speak to the runtime that surrounds the call.
        larder::blocking::invalidate_all().unwrap();
        number::invalidate(1, &shops[0].runtime).unwrap();
        assert_eq!(number::peek(1, &shops[0].runtime), None);
        assert_eq!(number::peek(1, &shops[1].runtime), Some(1));
        assert_eq!(number::stats(&shops[1].runtime).entries, 1);
        number::invalidate_all(&shops[1].runtime).unwrap();
        assert_eq!(number::peek(1, &shops[1].runtime), None);
    });
}

#[test]
fn a_body_may_return_early_and_consume_its_arguments() {
    static CALLS: Calls = Calls::new();

    #[cached]
    fn parse(text: String) -> Result<u64, std::num::ParseIntError> {
        CALLS.note();
        if text.is_empty() {
            return Ok(0);
        }
        let number = text.parse::<u64>()?;
        drop(text);
        Ok(number)
    }

    everywhere(|| {
        for _ in 0..3 {
            assert_eq!(parse("7".to_owned()), Ok(7));
            assert_eq!(parse(String::new()), Ok(0));
        }
        assert_eq!(CALLS.taken(), 2);
        assert!(parse("x".to_owned()).is_err());
        CALLS.taken();
        parse::invalidate_all().unwrap();
    });
}
