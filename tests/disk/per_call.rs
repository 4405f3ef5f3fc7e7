//! Which tiers a call may read and write, where that is said around it.

use crate::support::{Calls, Machine, settle};
use larder::{Level, Options, cached};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn a_tier_that_is_left_out_is_neither_read_nor_written() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn both(key: u8) -> u8 {
        CALLS.note();
        key
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let only = |tier| Options::new().tiers([tier]);
    one.with(|| both::with(only(Level::L1), 1));
    settle(&one);
    one.with(|| both(1));
    assert_eq!(CALLS.taken(), 1, "memory was to have it");
    other.with(|| both(1));
    assert_eq!(CALLS.taken(), 1, "it was to stay in the memory of one");

    one.with(|| both::with(only(Level::L2), 2));
    settle(&one);
    assert_eq!(CALLS.taken(), 1);
    one.with(|| both::with(only(Level::L1), 2));
    assert_eq!(CALLS.taken(), 1, "it was read from the disk, or kept in memory");
    other.with(|| both::with(only(Level::L2), 2));
    other.with(|| both::with(only(Level::L1), 2));
    assert_eq!(CALLS.taken(), 1, "what was read was kept in memory, or not found");
}

#[test]
fn what_only_reads_leaves_every_tier_as_it_is() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn both(key: u8) -> u8 {
        CALLS.note();
        key
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| both(1));
    settle(&one);
    let memory = || other.with(|| both::with(Options::new().tiers([Level::L1]).read_only(), 1));
    CALLS.taken();
    other.with(|| both::with(Options::new().read_only(), 1));
    assert_eq!(CALLS.taken(), 0, "it was not read");
    memory();
    assert_eq!(CALLS.taken(), 1, "it was kept in memory");
    other.with(|| both::with(Options::new().skip_write(), 1));
    memory();
    assert_eq!(CALLS.taken(), 0, "what was found was not kept nearer");

    other.with(|| both::with(Options::new().read_only(), 2));
    settle(&other);
    one.with(|| both(2));
    assert_eq!(CALLS.taken(), 2, "what was computed was kept");
}

#[test]
fn what_is_forced_is_forgotten_in_every_process() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn both() -> u8 {
        CALLS.note();
        7
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(both);
    settle(&one);
    other.with(both);
    CALLS.taken();
    one.with(|| both::with(Options::new().skip_read()));
    other.with(both);
    assert_eq!(CALLS.taken(), 1, "others keep what they have while one computes past it");
    one.with(|| both::with(Options::new().force()));
    settle(&one);
    other.with(both);
    assert_eq!(CALLS.taken(), 1, "the other was to take what was computed last");
    assert_eq!(other.with(both::stats).hits_l2, 2);
}

#[test]
fn c2_what_another_process_has_invalidated_is_not_read_whichever_tiers_are_asked() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", tags("per call"))]
    fn both(key: u8) -> u8 {
        CALLS.note();
        key
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let on_disk = Options::new().tiers([Level::L2]);
    for _ in 0..20 {
        one.with(|| both(1));
        settle(&one);
        other.with(|| both::with(on_disk, 1));
        CALLS.taken();
        one.with(|| larder::blocking::invalidate_tag("per call")).unwrap();
        other.with(|| both::with(on_disk, 1));
        assert_eq!(CALLS.taken(), 1, "it was read from the disk");
    }
}

#[test]
fn what_only_reads_keeps_nothing_nearer_that_stands_in_for_a_failure_either() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "10s", grace = "1h")]
    fn fallible(key: u8) -> Result<u8, String> {
        CALLS.note();
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(key) }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let call = |options| other.with(|| fallible::with(options, 1));
    assert_eq!(one.with(|| fallible(1)), Ok(1));
    settle(&one);
    machine.clock.advance(Duration::from_secs(11));
    FAILS.store(true, SeqCst);
    CALLS.taken();
    for _ in 0..3 {
        assert_eq!(call(Options::new().read_only()), Ok(1));
        assert_eq!(call(Options::new().tiers([Level::L2])), Ok(1));
    }
    assert_eq!(CALLS.taken(), 1, "the next attempt is not due");
    let memory = Options::new().tiers([Level::L1]);
    assert!(call(memory.read_only()).is_err(), "it was kept in memory");
    assert_eq!(call(Options::new()), Ok(1));
    assert_eq!(call(memory), Ok(1), "it was not kept in memory");
}
