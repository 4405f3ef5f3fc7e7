//! How long what is on disk is fresh. A value carries its age: moving between tiers renews nothing.

use crate::support::{Calls, Machine, settle};
use larder::{Options, cached};
use std::time::Duration;

#[test]
fn a_value_expires_by_the_time_it_was_computed_wherever_it_is() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "10s")]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| value(1));
    settle(&one);
    machine.clock.advance(Duration::from_secs(9));
    other.with(|| value(1));
    assert_eq!(CALLS.taken(), 1);
    machine.clock.advance(Duration::from_secs(1));
    for process in [&other, &one] {
        process.with(|| value(1));
        settle(process);
    }
    assert_eq!(CALLS.taken(), 1, "computed anew by one of the two");
}

#[test]
fn without_a_time_to_live_it_is_an_hour() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let process = machine.process();
    for (passed, computed) in [(0, 1), (3_599, 0), (1, 1)] {
        machine.clock.advance(Duration::from_secs(passed));
        process.with(|| value(1));
        settle(&process);
        assert_eq!(CALLS.taken(), computed, "after {passed} more");
    }
}

#[test]
fn each_tier_may_have_a_time_of_its_own() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl(l1 = "1s", l2 = "10s"))]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| value(1));
    settle(&process);
    for _ in 0..9 {
        machine.clock.advance(Duration::from_secs(1));
        process.with(|| value(1));
    }
    let stats = process.with(value::stats);
    assert_eq!((CALLS.taken(), stats.hits, stats.hits_l2), (1, 9, 9));
    machine.clock.advance(Duration::from_secs(1));
    process.with(|| value(1));
    assert_eq!(CALLS.taken(), 1, "what L1 got late is not fresh for longer");
}

#[test]
fn a_value_says_itself_how_long_it_is_fresh() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "1h", ttl_for = short)]
    fn value(id: u64) -> u64 {
        CALLS.note();
        id
    }

    fn short(value: &u64) -> Duration {
        Duration::from_secs(*value)
    }

    let machine = Machine::new();
    machine.process().with(|| value(5));
    machine.clock.advance(Duration::from_secs(4));
    machine.process().with(|| value(5));
    machine.clock.advance(Duration::from_secs(1));
    machine.process().with(|| value(5));
    assert_eq!(CALLS.taken(), 2);
}

/// V7: the earliest expiry is inherited.
#[test]
fn a_caller_does_not_outlive_what_it_called() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "5s")]
    fn inner(id: u64) -> u64 {
        id
    }

    #[cached(tier = "l1,l2", ttl = "1h")]
    fn outer(id: u64) -> u64 {
        CALLS.note();
        inner(id)
    }

    let machine = Machine::new();
    machine.process().with(|| inner(1));
    machine.clock.advance(Duration::from_secs(3));
    machine.process().with(|| outer(1));
    machine.clock.advance(Duration::from_secs(1));
    machine.process().with(|| outer(1));
    assert_eq!(CALLS.taken(), 1);
    machine.clock.advance(Duration::from_secs(1));
    machine.process().with(|| outer(1));
    assert_eq!(CALLS.taken(), 1);
}

#[test]
fn what_another_process_has_computed_is_not_warmed_again_until_its_time_is_over() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "10s", stale = "1h")]
    fn square(id: u64) -> u64 {
        CALLS.note();
        id * id
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| [1, 2, 3].map(square));
    settle(&one);
    assert_eq!(CALLS.taken(), 3);
    let warmed = other.with(|| square::warm([1, 2, 3, 4]));
    assert_eq!((warmed.calls, warmed.skipped, CALLS.taken()), (4, 3, 1));
    machine.clock.advance(Duration::from_secs(10));
    let warmed = other.with(|| square::warm([1, 2]));
    assert_eq!((warmed.skipped, CALLS.taken()), (0, 2), "it is stale");
}

#[test]
fn what_a_call_says_of_its_time_holds_on_disk_and_no_longer_in_memory_than_there() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "1h")]
    fn number() -> u64 {
        CALLS.note();
        1
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| number::with(Options::new().ttl(Duration::from_secs(5))));
    settle(&one);
    other.with(number);
    machine.clock.advance(Duration::from_secs(4));
    for process in [&one, &other] {
        process.with(number);
    }
    assert_eq!(CALLS.taken(), 1);
    machine.clock.advance(Duration::from_secs(1));
    other.with(number);
    assert_eq!(CALLS.taken(), 1);
}

#[test]
fn jitter_ends_entries_on_disk_one_after_the_other() {
    #[cached(tier = "l2", ttl = "10s", jitter = "50%")]
    fn square(id: u64) -> u64 {
        id * id
    }

    let machine = Machine::new();
    let process = machine.process();
    (0..64).for_each(|id| assert_eq!(process.with(|| square(id)), id * id));
    settle(&process);
    let left = || (0..64).filter(|id| process.with(|| square::peek(*id)).is_some()).count();
    machine.clock.advance(Duration::from_millis(4_900));
    assert_eq!(left(), 64, "by a half at the most");
    machine.clock.advance(Duration::from_millis(2_600));
    // All or none of them, once in 2^63 runs.
    assert!((1..64).contains(&left()), "{}", left());
    machine.clock.advance(Duration::from_millis(2_500));
    assert_eq!(left(), 0);
}
