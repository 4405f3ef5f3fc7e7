//! `refresh` with a tier that processes share: what another has computed anew is taken from there, and one
//! computes at a time.

use crate::support::{Calls, Machine, settle};
use larder::{Runtime, cached};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(28);

fn until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}");
        thread::yield_now();
    }
}

/// Where a body waits until it may go on, once that is set.
struct Middle(OnceLock<(Sender<()>, Mutex<Receiver<()>>)>);

impl Middle {
    const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// What tells that a body has arrived, and what has it go on.
    fn set(&self) -> (Receiver<()>, Sender<()>) {
        let ((arrive, arrived), (go, leave)) = (channel(), channel());
        assert!(self.0.set((arrive, Mutex::new(leave))).is_ok(), "it is set once");
        (arrived, go)
    }

    /// Whether it was set.
    fn pass(&self) -> bool {
        let Some((arrive, leave)) = self.0.get() else { return false };
        arrive.send(()).unwrap();
        leave.lock().unwrap().recv_timeout(LIMIT).expect("nobody has it go on");
        true
    }
}

#[test]
fn what_another_process_has_computed_anew_is_taken_from_the_disk() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "10s", refresh = "3s")]
    fn number(key: u8) -> u64 {
        CALLS.note();
        u64::from(key)
    }

    let machine = Machine::new();
    let processes = [machine.process(), machine.process()];
    let [one, other] = &processes;
    one.with(|| number(1));
    settle(one);
    other.with(|| number(1));
    assert_eq!(CALLS.taken(), 1);
    machine.clock.advance(Duration::from_secs(8));
    one.with(|| number(1));
    until("it to be stored", || one.with(number::stats).stores_l2 == 2);
    other.with(|| number(1));
    until("it to be taken", || other.with(number::stats).joins_l2 == 1);
    assert_eq!(CALLS.taken(), 1, "the other was to compute nothing");
    machine.clock.advance(Duration::from_secs(4));
    for process in &processes {
        assert_eq!(process.with(|| number(1)), 1);
        let stats = process.with(number::stats);
        assert_eq!((stats.misses_expired, stats.refreshes), (0, 1));
    }
}

#[test]
fn f3_one_process_computes_anew_at_a_time() {
    static CALLS: Calls = Calls::new();
    static MIDDLE: Middle = Middle::new();

    #[cached(tier = "l1,l2", ttl = "10s", refresh = "3s")]
    fn number() -> u64 {
        CALLS.note();
        if MIDDLE.pass() { 2 } else { 1 }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(number);
    settle(&one);
    other.with(number);
    machine.clock.advance(Duration::from_secs(8));
    let (arrived, go) = MIDDLE.set();
    assert_eq!(one.with(number), 1);
    arrived.recv_timeout(LIMIT).expect("nobody computes");
    for _ in 0..10 {
        assert_eq!(other.with(number), 1);
    }
    let refreshes = |process: &Runtime| process.with(number::stats).refreshes;
    assert_eq!((refreshes(&one), refreshes(&other)), (1, 1));
    go.send(()).unwrap();
    until("the other to take it", || other.with(number::peek) == Some(2));
    assert_eq!(CALLS.taken(), 2);
}

#[test]
fn c1_one_that_is_overtaken_by_an_invalidation_of_another_process_is_dropped() {
    static CALLS: Calls = Calls::new();
    static MIDDLE: Middle = Middle::new();
    static RUNS: AtomicU64 = AtomicU64::new(0);

    #[cached(tier = "l1,l2", ttl = "10s", refresh = "3s", tags("overtaken"))]
    fn number() -> u64 {
        let run = RUNS.fetch_add(1, SeqCst) + 1;
        if run == 2 {
            assert!(MIDDLE.pass(), "it was set before");
        }
        CALLS.note();
        run
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(number);
    settle(&one);
    other.with(number);
    machine.clock.advance(Duration::from_secs(8));
    let (arrived, go) = MIDDLE.set();
    assert_eq!(one.with(number), 1);
    arrived.recv_timeout(LIMIT).expect("nobody computes");
    other.with(|| larder::blocking::invalidate_tag("overtaken")).unwrap();
    go.send(()).unwrap();
    until("it to end", || one.with(number::stats).fenced_stores == 1);
    settle(&one);
    assert_eq!([&one, &other].map(|it| it.with(number::peek)), [None, None]);
    assert_eq!([one.with(number), other.with(number)], [3, 3]);
    assert_eq!(CALLS.taken(), 3);
}
