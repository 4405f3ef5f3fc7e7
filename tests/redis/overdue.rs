//! Values whose time is over, in Redis: served by every process while one computes them anew, and by one
//! that fails to.

use crate::limit::until;
use crate::server::Server;
use crate::support::{Calls, Slow, connected, draw, expired, keys, patience, patient};
use larder::{blocking, cached};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

#[test]
fn f3_one_process_computes_anew_while_all_get_the_stale_value() {
    static SLOW: Slow = Slow::new();

    #[cached(tier = "l1,l3", ttl = "1s", stale = "1h", name = "overdue::slow")]
    fn slow() -> u64 {
        SLOW.run()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let old = expired(&one, slow, slow::peek);
    SLOW.waits.store(true, SeqCst);
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(slow));
        SLOW.gate.await_arrivals(1);
        // The other has nothing in memory.
        for runtime in [&one, &other, &other] {
            assert_eq!(runtime.with(slow), old);
        }
        assert_eq!(other.with(slow::stats).stale_hits, 2);
        assert_eq!(other.with(slow::stats).computations, 0);
        SLOW.gate.open();
        assert!(computing.join().unwrap() > old);
    });
    assert!(other.with(slow) > old);
}

static RUNS: Calls = Calls::new();
static FAILS: AtomicBool = AtomicBool::new(false);

#[cached(tier = "l1,l3", ttl = "1s", grace = "1h", name = "overdue::fallible", tags("overdue"))]
fn fallible() -> Result<u64, u64> {
    RUNS.note();
    if FAILS.load(SeqCst) { Err(draw()) } else { Ok(draw()) }
}

/// One after the other, as they share what fails.
#[test]
fn what_fails_serves_what_any_process_stored_unless_that_was_invalidated() {
    let server = Server::start();
    let hour = Duration::from_secs(3_600);
    let process = || connected(patience(&server.url()).backoff(hour, hour).build().unwrap());
    let [one, other] = [process(), process()];
    let old = one.with(fallible);
    until("the value to expire", || one.with(fallible::peek).is_none().then_some(()));
    assert_eq!(keys(&server, "larder:*:v:*").len(), 1, "it is there still");
    FAILS.store(true, SeqCst);
    RUNS.taken();
    assert_eq!([(); 3].map(|()| other.with(fallible)), [old; 3]);
    assert_eq!(RUNS.taken(), 1, "the next attempt is not due");
    assert_eq!(other.with(fallible::stats).grace_hits, 3);
    one.with(|| blocking::invalidate_tag("overdue")).unwrap();
    until("the other to hear of it", || other.with(fallible).is_err().then_some(()));
    assert!(one.with(fallible).is_err());
}
