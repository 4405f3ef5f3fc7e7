//! `jitter`: what was computed together does not expire together, and never later than it would.

use crate::support::fresh;
use larder::cached;
use std::time::Duration;

const KEYS: u64 = 1_000;

#[cached(ttl = "100s", jitter = "20%")]
fn number(id: u64) -> u64 {
    id
}

#[test]
fn times_to_live_are_shortened_by_shares_of_their_own() {
    let (runtime, clock) = fresh();
    let recomputed = || {
        let before = runtime.with(number::stats).computations;
        runtime.with(|| (0..KEYS).for_each(|id| assert_eq!(number(id), id)));
        runtime.with(number::stats).computations - before
    };
    assert_eq!(recomputed(), KEYS);
    clock.advance(Duration::from_secs(80) - Duration::from_nanos(1));
    assert_eq!(recomputed(), 0, "too early");
    clock.advance(Duration::from_secs(10));
    let half = recomputed();
    assert!((KEYS / 4..KEYS * 3 / 4).contains(&half), "{half} of {KEYS} within half the span");
    clock.advance(Duration::from_secs(10) + Duration::from_nanos(1));
    // Those of the last round live on.
    assert_eq!(recomputed(), KEYS - half, "too late");
}
