//! Values whose time is over, on disk: served by every process while one computes them anew, and by one
//! that fails to.

use crate::support::{Calls, Machine, settle};
use larder::{blocking, cached};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(10);
const LIMIT: Duration = Duration::from_secs(28);

/// Says that a body is in its middle, and has it go on.
struct Middle {
    arrived: Receiver<()>,
    leave: Sender<()>,
}

/// The other side of it.
static BODY: OnceLock<Mutex<(Sender<()>, Receiver<()>)>> = OnceLock::new();

impl Middle {
    fn new() -> Self {
        let ((arrive, arrived), (leave, left)) = (channel(), channel());
        BODY.set(Mutex::new((arrive, left))).expect("only one test has it");
        Self { arrived, leave }
    }
}

#[test]
fn f3_one_process_computes_anew_while_others_get_the_stale_value() {
    static WAITS: AtomicBool = AtomicBool::new(false);
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", ttl = "10s", stale = "1m")]
    fn slow() -> u64 {
        CALLS.note();
        if !WAITS.load(SeqCst) {
            return 1;
        }
        let body = BODY.get().unwrap().lock().unwrap();
        body.0.send(()).unwrap();
        body.1.recv_timeout(LIMIT).expect("nobody has it go on");
        2
    }

    let (machine, middle) = (Machine::new(), Middle::new());
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(slow), 1);
    settle(&one);
    machine.clock.advance(TTL);
    WAITS.store(true, SeqCst);
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(slow));
        middle.arrived.recv_timeout(LIMIT).expect("nobody computes");
        // In the process that computes it, too.
        assert_eq!([one.with(slow), other.with(slow), other.with(slow)], [1, 1, 1]);
        let stats = other.with(slow::stats);
        assert_eq!((stats.stale_hits, stats.computations), (2, 0));
        middle.leave.send(()).unwrap();
        assert_eq!(computing.join().unwrap(), 2);
    });
    settle(&one);
    assert_eq!(other.with(slow), 2);
    assert_eq!(CALLS.taken(), 2);
}

#[test]
fn what_fails_serves_what_was_stored_unless_that_was_invalidated_or_grace_is_over() {
    static CALLS: Calls = Calls::new();
    static FAILS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l1,l2", ttl = "10s", grace = "1h", tags("overdue:{id}"))]
    fn fallible(id: u64) -> Result<u64, String> {
        CALLS.note();
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(id) }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    for id in [1, 2, 3] {
        assert_eq!(one.with(|| fallible(id)), Ok(id));
    }
    settle(&one);
    machine.clock.advance(TTL);
    FAILS.store(true, SeqCst);
    CALLS.taken();
    assert_eq!([(); 3].map(|()| other.with(|| fallible(1))), [(); 3].map(|()| Ok(1)));
    assert_eq!(CALLS.taken(), 1, "the next attempt is not due");
    assert_eq!(other.with(fallible::stats).grace_hits, 3);
    one.with(|| blocking::invalidate_tag("overdue:1")).unwrap();
    assert!(other.with(|| fallible(1)).is_err());
    one.with(|| blocking::invalidate_tag("overdue:2")).unwrap();
    assert!(other.with(|| fallible(2)).is_err());
    machine.clock.advance(Duration::from_secs(3_600) - Duration::from_nanos(1));
    assert_eq!(other.with(|| fallible(3)), Ok(3));
    machine.clock.advance(Duration::from_nanos(1));
    assert!(one.with(|| fallible(3)).is_err());
}

/// Of two former values the later is served, wherever it is, and its failures are its own.
#[test]
fn what_fails_serves_the_last_that_any_process_stored() {
    static CALLS: Calls = Calls::new();
    static FAILS: AtomicBool = AtomicBool::new(false);
    static VERSION: AtomicU64 = AtomicU64::new(1);

    #[cached(tier = "l1,l2", ttl = "10s", grace = "1h")]
    fn fallible() -> Result<u64, String> {
        CALLS.note();
        if FAILS.load(SeqCst) { Err("on purpose".to_owned()) } else { Ok(VERSION.load(SeqCst)) }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(fallible), Ok(1));
    settle(&one);
    machine.clock.advance(TTL);
    FAILS.store(true, SeqCst);
    assert_eq!(one.with(fallible), Ok(1));
    FAILS.store(false, SeqCst);
    VERSION.store(2, SeqCst);
    assert_eq!(other.with(fallible), Ok(2));
    settle(&other);
    // Its own next attempt is not due, and another has had more success.
    assert_eq!(one.with(fallible), Ok(2));
    machine.clock.advance(TTL);
    FAILS.store(true, SeqCst);
    CALLS.taken();
    for process in [&one, &other, &one, &other] {
        assert_eq!(process.with(fallible), Ok(2));
    }
    assert_eq!(CALLS.taken(), 2, "one attempt for each process");
}
