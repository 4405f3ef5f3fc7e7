//! `explain`: what a call would do now, and why, without doing it.

use crate::support::{Stage, fresh, run};
use larder::{Cause, Level, Miss, Options, State, blocking, cached};
use std::collections::HashMap;
use std::num::ParseIntError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[cached(ttl = "10s", stale = "20s", grace = "1h", tags("explained:{key}"), skip(stage))]
fn number(key: u8, stage: &Stage) -> u64 {
    u64::from(key) + stage.act()
}

#[test]
fn a_value_after_its_time_is_stale_then_in_grace_then_gone() {
    let (runtime, clock) = fresh();
    runtime.with(|| {
        number(1, &Stage::open());
        clock.advance(12 * SECOND);
        let explained = number::explain(1);
        let stale = State::Stale { age: 12 * SECOND, left: 18 * SECOND, is_computed: false };
        assert_eq!(explained.state, stale);
        assert!(
            explained.to_string().contains("would be computed: its entry is stale, 12.0s old"),
            "{explained}"
        );
        clock.advance(20 * SECOND);
        let explained = number::explain(1);
        let grace = State::Grace { age: 32 * SECOND, left: 3_578 * SECOND, retry: None };
        assert_eq!(explained.state, grace);
        assert!(explained.to_string().contains("is served if that fails"), "{explained}");
        clock.advance(3_600 * SECOND);
        assert!(
            number::explain(1).to_string().ends_with("would be computed: its entry has expired")
        );
        assert_eq!(number::stats().computations, 1);
    });
}

#[test]
fn a_stale_value_is_said_to_be_served_while_another_call_computes() {
    let (runtime, clock) = fresh();
    runtime.with(|| number(1, &Stage::open()));
    clock.advance(12 * SECOND);
    let stage = Arc::new(Stage::default());
    let (inside, other) = (runtime.clone(), Arc::clone(&stage));
    let computing = run("the computation", move || inside.with(|| number(1, &other)));
    stage.entered.wait("the body");
    let explained = runtime.with(|| number::explain(1));
    let stale = State::Stale { age: 12 * SECOND, left: 18 * SECOND, is_computed: true };
    assert_eq!(explained.state, stale);
    assert!(explained.to_string().contains("would be served stale"), "{explained}");
    stage.leave.open();
    computing.ended();
}

#[test]
fn after_a_failure_it_says_when_the_next_attempt_is_due() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(ttl = "10s", grace = "1h")]
    fn fragile() -> Result<u64, String> {
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(7) }
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        fragile().unwrap();
        FAILS.store(true, SeqCst);
        clock.advance(10 * SECOND);
        assert_eq!(fragile(), Ok(7));
        let explained = fragile::explain();
        let grace = State::Grace { age: 10 * SECOND, left: 3_600 * SECOND, retry: Some(SECOND) };
        assert_eq!(explained.state, grace);
        assert!(explained.to_string().contains("tried again in 1.0s"), "{explained}");
    });
}

#[test]
fn what_was_invalidated_is_said_to_be_by_what() {
    #[cached(tags("explained: inner"))]
    fn inner() -> u64 {
        1
    }

    #[cached(tags("explained: outer"))]
    fn outer() -> u64 {
        inner() + 1
    }

    fresh().0.with(|| {
        let after = |invalidate: &dyn Fn()| {
            outer();
            assert_eq!(outer::explain().cause, None);
            invalidate();
            let explained = outer::explain();
            assert!(explained.to_string().contains("has been invalidated, "), "{explained}");
            explained.cause.expect("it was invalidated")
        };
        assert_eq!(after(&|| outer::invalidate_all().unwrap()), Cause::Function);
        let tag = after(&|| blocking::invalidate_tag("explained: outer").unwrap());
        assert_eq!(tag, Cause::Tag(Some("explained: outer".into())));
        assert_eq!(tag.to_string(), "by its tag `explained: outer`");
        assert_eq!(after(&|| inner::invalidate().unwrap()), Cause::Callee(None));
        let tag = after(&|| blocking::invalidate_tag("explained: inner").unwrap());
        assert_eq!(
            tag.to_string(),
            "by the tag `explained: inner` of something that it was computed from"
        );
        assert_eq!(after(&|| blocking::invalidate_all().unwrap()), Cause::Other);
        outer();
        outer::invalidate().unwrap();
        assert!(
            outer::explain().to_string().ends_with("there is no entry"),
            "its memory is given back"
        );
        let tiers: Vec<_> = outer::explain().tiers.iter().map(|it| it.tier).collect();
        assert_eq!(tiers, [Level::L1]);
    });
}

#[test]
fn it_says_which_key_and_when_a_call_would_have_it_computed_anew() {
    #[cached(ttl = "1h", refresh = "5m", key = "explained:{id}:{name}")]
    fn named(id: u64, name: &str) -> usize {
        name.len() + usize::try_from(id).unwrap()
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        named(7, "a:b");
        let explained = named::explain(7, "a:b");
        assert_eq!(explained.key.as_deref(), Some("explained:7:a%3Ab"));
        let said = explained.to_string();
        assert!(said.contains("(`explained:7:a%3Ab`) would be served from L1: 0s old"), "{said}");
        assert!(said.ends_with("fresh for 1 h"), "{said}");
        clock.advance(56 * 60 * SECOND);
        let said = named::explain(7, "a:b").to_string();
        assert!(
            said.ends_with("56 min old, fresh for 4 min, and due to be computed anew"),
            "{said}"
        );
        assert_eq!((named::stats().computations, named::stats().refreshes), (1, 0));
    });
}

#[test]
fn a_call_that_would_wait_for_another_is_said_to() {
    let runtime = fresh().0;
    let stage = Arc::new(Stage::default());
    let (inside, other) = (runtime.clone(), Arc::clone(&stage));
    let computing = run("the computation", move || inside.with(|| number(1, &other)));
    stage.entered.wait("the body");
    let explained = runtime.with(|| number::explain(1));
    assert_eq!(explained.state, State::InFlight);
    assert!(explained.to_string().ends_with("would wait for another call, which computes it"));
    stage.leave.open();
    computing.ended();
}

#[test]
fn what_is_negative_is_not_said_to_be_served_after_its_time() {
    #[cached(ttl = "1h", negative = "10s", stale = "1h", grace = "1d")]
    fn absent() -> Option<u64> {
        None
    }

    let (runtime, clock) = fresh();
    runtime.with(|| {
        absent();
        assert!(absent::explain().to_string().contains("would be served from L1"));
        clock.advance(12 * SECOND);
        let explained = absent::explain();
        assert_eq!(explained.state, State::Missing(Miss::Expired), "{explained}");
        absent();
        assert_eq!(absent::stats().computations, 2, "as it was said");
    });
}

#[test]
fn the_options_around_a_call_are_a_part_of_what_is_said() {
    fresh().0.with(|| {
        number(1, &Stage::open());
        let said = |options| larder::with(options, || number::explain(1));
        let explained = said(Options::new().skip_read());
        assert_eq!(explained.state, State::Unread);
        assert!(explained.to_string().contains("the options around it say not to look"));
        let elsewhere = said(Options::new().tiers([Level::L2]));
        assert_eq!(elsewhere.state, State::Missing(Miss::Absent));
        assert!(matches!(said(Options::new()).state, State::Fresh { .. }));
    });
}

#[test]
fn a_call_that_its_condition_leads_past_the_cache_is_said_to() {
    #[cached(when = !hurry && (low..=high).contains(&id), key(id, low))]
    fn ranked(id: u64, (low, high): (u64, u64), hurry: bool) -> u64 {
        id + low + high + u64::from(hurry)
    }

    #[cached(batch = ids, when = *id > 0)]
    fn all(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, *id)).collect()
    }

    struct Shop;

    impl Shop {
        #[cached(key(article), skip(self), when = article > 0, handle = price_entry)]
        fn price(&self, article: u64) -> u64 {
            article
        }
    }

    #[cached(when = parsed(id)? > 3)]
    fn checked(id: &str) -> Result<u64, ParseIntError> {
        parsed(id)
    }

    fn parsed(id: &str) -> Result<u64, ParseIntError> {
        id.parse()
    }

    fresh().0.with(|| {
        ranked(5, (1, 9), false);
        assert!(matches!(ranked::explain(5, (1, 9), false).state, State::Fresh { .. }));
        for past_cache in [(5, (1, 9), true), (5, (1, 4), false)] {
            let (id, range, hurry) = past_cache;
            let explained = ranked::explain(id, range, hurry);
            assert!(matches!(explained.state, State::When(it) if it.contains("hurry")));
            assert!(explained.tiers.is_empty() && explained.cause.is_none());
            assert!(explained.to_string().ends_with("does not hold"), "{explained}");
            let before = ranked::stats().bypasses_when;
            ranked(id, range, hurry);
            assert_eq!(ranked::stats().bypasses_when, before + 1, "as it was said");
        }
        assert_eq!(ranked::peek(5, (1, 9)), Some(15), "the key is what it was");

        all(&[0, 1]);
        assert!(matches!(all::explain(&1).state, State::Fresh { .. }));
        assert_eq!(all::explain(&0).state, State::When("*id > 0"));

        Shop.price(0);
        let said = Shop.price_entry(0).explain().state;
        assert_eq!(said, State::Missing(Miss::Absent), "an entry has the key alone");
        assert!(checked("?").is_err());
        assert_eq!(
            checked::explain("3").state,
            State::Missing(Miss::Absent),
            "it may end the call"
        );
    });
}
