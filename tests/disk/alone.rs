//! `stale`, `grace`, `refresh` and `timeout` of functions that keep nothing in memory: what is on disk is
//! served after its time as it would be from there.

use crate::support::{Calls, Machine, settle};
use larder::{Options, State, blocking, cached};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const TTL: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(28);

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}");
        thread::yield_now();
    }
}

/// A body that waits where it is told to.
struct Slow {
    calls: AtomicU64,
    is_held: Mutex<bool>,
    changed: Condvar,
}

impl Slow {
    const fn new() -> Self {
        Self { calls: AtomicU64::new(0), is_held: Mutex::new(false), changed: Condvar::new() }
    }

    fn run(&self) -> u64 {
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        let held = self.is_held.lock().unwrap();
        let waited = self.changed.wait_timeout_while(held, LIMIT, |held| *held).unwrap();
        assert!(!waited.1.timed_out(), "nobody has it go on");
        call
    }

    fn hold(&self, is_held: bool) {
        *self.is_held.lock().unwrap() = is_held;
        self.changed.notify_all();
    }

    fn calls(&self) -> u64 {
        self.calls.load(SeqCst)
    }
}

#[test]
fn f3_one_caller_computes_anew_while_all_others_get_what_is_on_disk() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l2", ttl = "10s", stale = "1m")]
    fn slow() -> u64 {
        SLOW.run()
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(slow), 1);
    settle(&one);
    machine.clock.advance(TTL);
    SLOW.hold(true);
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(slow));
        until("a body to run", || SLOW.calls() == 2);
        assert_eq!([one.with(slow), other.with(slow), other.with(slow)], [1, 1, 1]);
        let stats = other.with(slow::stats);
        assert_eq!((stats.stale_hits, stats.computations), (2, 0));
        assert_eq!(one.with(slow::stats).stale_hits, 1);
        // What is invalidated is not served, however long it takes to compute another.
        one.with(slow::invalidate).unwrap();
        let late = scope.spawn(|| one.with(slow));
        SLOW.hold(false);
        assert_eq!([computing.join().unwrap(), late.join().unwrap()], [2, 3]);
    });
}

#[test]
fn what_fails_serves_what_is_on_disk_and_is_put_off() {
    static CALLS: Calls = Calls::new();
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l2", ttl = "10s", grace = "1h", tags("alone:{id}"))]
    fn fallible(id: u64) -> Result<u64, String> {
        CALLS.note();
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(id) }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    for id in [1, 2] {
        assert_eq!(one.with(|| fallible(id)), Ok(id));
    }
    settle(&one);
    machine.clock.advance(TTL);
    FAILS.store(true, SeqCst);
    CALLS.taken();
    // After one second, then two, then four.
    for pause in [1, 2, 4] {
        for _ in 0..3 {
            assert_eq!(other.with(|| fallible(1)), Ok(1));
        }
        assert_eq!(CALLS.taken(), 1, "the next attempt is not due");
        machine.clock.advance(Duration::from_secs(pause));
    }
    let stats = other.with(fallible::stats);
    assert_eq!((stats.grace_hits, stats.computations), (9, 3));
    one.with(|| blocking::invalidate_tag("alone:1")).unwrap();
    assert!(other.with(|| fallible(1)).is_err());
    machine.clock.advance(Duration::from_secs(3_600 - 7) - Duration::from_nanos(1));
    assert_eq!(other.with(|| fallible(2)), Ok(2));
    machine.clock.advance(Duration::from_nanos(1));
    assert!(other.with(|| fallible(2)).is_err());
    // Nothing of it was kept in memory.
    assert_eq!(other.with(fallible::stats).entries, 0);
}

#[test]
fn near_the_end_of_its_time_it_is_computed_anew_by_one_process() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l2", ttl = "10s", refresh = "3s")]
    fn number() -> u64 {
        SLOW.run()
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(number), 1);
    settle(&one);
    machine.clock.advance(Duration::from_secs(6));
    assert_eq!([one.with(number), other.with(number)], [1, 1]);
    machine.clock.advance(Duration::from_secs(2));
    SLOW.hold(true);
    for _ in 0..5 {
        assert_eq!([one.with(number), other.with(number)], [1, 1]);
    }
    until("a body to run", || SLOW.calls() == 2);
    SLOW.hold(false);
    until("it to be stored", || one.with(number) == 2 && other.with(number) == 2);
    assert_eq!(SLOW.calls(), 2);
    let stats = [&one, &other].map(|process| process.with(number::stats));
    assert_eq!(stats.each_ref().map(larder::FunctionStats::misses), [1, 0]);
    assert!(stats.iter().all(|it| it.refreshes > 0), "{stats:?}");
}

#[test]
fn one_that_takes_too_long_gives_its_caller_what_is_on_disk() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l2", ttl = "10s", grace = "1h", timeout = "1s")]
    fn number() -> u64 {
        SLOW.run()
    }

    let machine = Machine::new();
    let process = machine.process();
    assert_eq!(process.with(number), 1);
    settle(&process);
    machine.clock.advance(2 * TTL);
    SLOW.hold(true);
    thread::scope(|scope| {
        let calling = scope.spawn(|| process.with(number));
        until("a body to run", || SLOW.calls() == 2);
        until("the caller to wait", || machine.clock.sleepers() >= 1);
        machine.clock.advance(Duration::from_secs(1));
        assert_eq!(calling.join().unwrap(), 1);
    });
    let stats = process.with(number::stats);
    assert_eq!((stats.timeouts, stats.grace_hits), (1, 1));
    SLOW.hold(false);
    until("it to be stored", || process.with(number) == 2);
    assert_eq!(SLOW.calls(), 2);
}

#[test]
fn nobody_waits_for_an_attempt_of_others_where_its_own_is_put_off() {
    static SLOW: Slow = Slow::new();
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l2", ttl = "10s", grace = "1h")]
    fn number() -> Result<u64, String> {
        let call = SLOW.run();
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(call) }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(number), Ok(1));
    settle(&one);
    machine.clock.advance(TTL);
    FAILS.store(true, SeqCst);
    assert_eq!(one.with(number), Ok(1));
    SLOW.hold(true);
    thread::scope(|scope| {
        let computing = scope.spawn(|| other.with(number));
        until("a body to run", || SLOW.calls() == 3);
        assert_eq!(one.with(number), Ok(1));
        assert_eq!(SLOW.calls(), 3);
        SLOW.hold(false);
        assert_eq!(computing.join().unwrap(), Ok(1));
    });
}

#[test]
fn one_that_others_take_too_long_for_is_served_what_is_on_disk() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l2", ttl = "10s", grace = "1h", timeout = "1s")]
    fn number() -> u64 {
        SLOW.run()
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(number), 1);
    settle(&one);
    machine.clock.advance(2 * TTL);
    SLOW.hold(true);
    thread::scope(|scope| {
        let first = scope.spawn(|| one.with(number));
        until("a body to run", || SLOW.calls() == 2);
        until("its caller to wait", || machine.clock.sleepers() >= 1);
        let second = scope.spawn(|| other.with(number));
        until("both to wait", || machine.clock.sleepers() >= 2);
        machine.clock.advance(Duration::from_secs(1));
        assert_eq!([first.join().unwrap(), second.join().unwrap()], [1, 1]);
    });
    SLOW.hold(false);
    until("it to be stored", || one.with(number) == 2 && other.with(number) == 2);
    assert_eq!(SLOW.calls(), 2);
}

#[test]
fn who_can_not_hand_over_does_not_wait_for_others_beyond_its_timeout_either() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Unique;

    static SLOW: Slow = Slow::new();

    #[cached(
        tier = "l2",
        ttl = "10s",
        stale = "1s",
        grace = "1h",
        timeout = "1s",
        tags("alone:unique")
    )]
    fn plain() -> Result<u64, Unique> {
        Ok(SLOW.run())
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(plain), Ok(1));
    settle(&one);
    machine.clock.advance(2 * TTL);
    SLOW.hold(true);
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(plain));
        until("a body to run", || SLOW.calls() == 2);
        let calling = scope.spawn(|| other.with(plain));
        until("the other to miss", || other.with(plain::stats).misses() == 1);
        machine.clock.advance(Duration::from_secs(1));
        assert_eq!(calling.join().unwrap(), Ok(1));
        let stats = other.with(plain::stats);
        assert_eq!((stats.timeouts, stats.grace_hits, stats.computations), (1, 1, 0));
        // What is invalidated is waited for.
        other.with(|| blocking::invalidate_tag("alone:unique")).unwrap();
        let calling = scope.spawn(|| other.with(plain));
        until("the other to miss", || other.with(plain::stats).misses() == 2);
        for _ in 0..20 {
            machine.clock.advance(Duration::from_secs(1));
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!calling.is_finished());
        SLOW.hold(false);
        assert_eq!(computing.join().unwrap(), Ok(2));
        assert_eq!(calling.join().unwrap(), Ok(3), "the second began before");
    });
    assert_eq!(other.with(plain::stats).timeouts, 1);
}

#[test]
fn who_may_store_nothing_is_served_instead_of_a_failure_all_the_same() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l2", ttl = "10s", grace = "1h")]
    fn fallible() -> Result<u64, String> {
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(1) }
    }

    let machine = Machine::new();
    let process = machine.process();
    assert_eq!(process.with(fallible), Ok(1));
    settle(&process);
    machine.clock.advance(TTL);
    FAILS.store(true, SeqCst);
    assert_eq!(process.with(|| fallible::with(Options::new().read_only())), Ok(1));
}

#[test]
fn what_depends_on_files_is_not_served_after_its_time() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l2", ttl = "10s", stale = "1h", grace = "1h", files(path))]
    fn length(path: &Path) -> Result<usize, String> {
        if FAILS.load(SeqCst) {
            return Err("on purpose".to_owned());
        }
        fs::read(path).map(|bytes| bytes.len()).map_err(|error| error.to_string())
    }

    let machine = Machine::new();
    let process = machine.process();
    let path = machine.path().join("file");
    fs::write(&path, "seven b").unwrap();
    assert_eq!(process.with(|| length(&path)), Ok(7));
    settle(&process);
    FAILS.store(true, SeqCst);
    assert_eq!(process.with(|| length(&path)), Ok(7));
    machine.clock.advance(TTL);
    assert!(process.with(|| length(&path)).is_err());
}

#[test]
fn what_is_on_disk_alone_is_explained_after_its_time_too() {
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(
        tier = "l2",
        ttl = "10s",
        stale = "10s",
        grace = "1h",
        refresh = "2s",
        key = "told:{id}"
    )]
    fn told(id: u64) -> Result<u64, String> {
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(id) }
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| told(1)).unwrap();
    settle(&process);
    let explained = || process.with(|| told::explain(1));
    let computed = process.with(told::stats).computations;
    machine.clock.advance(Duration::from_secs(9));
    assert!(matches!(explained().state, State::Fresh { is_due: true, .. }), "{}", explained());
    assert_eq!(explained().key.as_deref(), Some("told:1"));
    machine.clock.advance(Duration::from_secs(3));
    let said = explained().to_string();
    assert!(said.contains("would be computed: its entry is stale, 12.0s old"), "{said}");
    machine.clock.advance(Duration::from_secs(10));
    let said = explained().to_string();
    assert!(said.contains("is served if that fails, 22.0s old, for another 59 min 48 s"), "{said}");
    assert_eq!(process.with(told::stats).computations, computed, "it computes nothing");
    FAILS.store(true, SeqCst);
    assert_eq!(process.with(|| told(1)), Ok(1));
    let said = explained().to_string();
    assert!(said.contains("has failed, and is tried again in 1.0s"), "{said}");
    process.with(|| told::invalidate(1)).unwrap();
    let said = explained().to_string();
    assert!(said.ends_with("its entry has been invalidated, by its key"), "{said}");
}

#[test]
fn what_its_value_says_of_its_time_holds_on_disk_and_a_deadline_ends_every_wait() {
    static SLOW: Slow = Slow::new();

    #[expect(clippy::ref_option, reason = "it is what the function returns")]
    fn lasts(value: &Option<u64>) -> Duration {
        Duration::from_secs(value.unwrap_or(1))
    }

    #[expect(clippy::ref_option, reason = "it is what the function returns")]
    fn is_even(value: &Option<u64>) -> bool {
        value.is_none_or(|it| it % 2 == 0)
    }

    #[cached(tier = "l2", ttl_for = lasts, cache_if = is_even, negative = "3s")]
    fn chosen(id: u64) -> Option<u64> {
        (id != 0).then_some(id)
    }

    fn instead() -> u64 {
        7
    }

    #[cached(tier = "l2", ttl = "10s", jitter = "50%", deadline = "1s", fallback = instead)]
    fn limited() -> u64 {
        SLOW.run()
    }

    let machine = Machine::new();
    let process = machine.process();
    let kept = |id| process.with(|| chosen::peek(id)).is_some();
    process.with(|| [0, 5, 6, 20].map(chosen));
    settle(&process);
    assert_eq!([0, 5, 6, 20].map(kept), [true, false, true, true]);
    machine.clock.advance(Duration::from_secs(3));
    assert_eq!([0, 6, 20].map(kept), [false, true, true]);
    machine.clock.advance(Duration::from_secs(3));
    assert_eq!([6, 20].map(kept), [false, true]);

    SLOW.hold(true);
    thread::scope(|scope| {
        let caller = scope.spawn(|| process.with(limited));
        until("the body to run", || SLOW.calls() == 1);
        until("its caller to wait", || machine.clock.sleepers() >= 1);
        machine.clock.advance(Duration::from_secs(1));
        assert_eq!(caller.join().unwrap(), 7);
    });
    assert_eq!(process.with(limited::peek), None, "what was made up is kept nowhere");
    SLOW.hold(false);
    until("the value to be stored", || process.with(limited::peek) == Some(1));
    machine.clock.advance(Duration::from_secs(10));
    assert_eq!(process.with(limited::peek), None, "no later than without jitter");
    assert_eq!(process.with(limited::stats).fallbacks, 1);
}
