//! `refresh` with values in Redis: what another process has computed anew is taken from there.

use crate::limit::until;
use crate::server::Server;
use crate::support::{Gate, draw, patient};
use larder::{Runtime, blocking, cached};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

#[test]
fn f3_what_one_process_computes_anew_is_taken_by_the_others() {
    static RUNS: AtomicU64 = AtomicU64::new(0);

    #[cached(tier = "l1,l3", ttl = "30s", refresh = "28s", name = "refresh::taken")]
    fn number() -> u64 {
        draw()
    }

    // In the middle of its time at the earliest, and that is 15 s.
    #[cached(tier = "l1,l3", ttl = "2s", refresh = "1s", name = "refresh::soon")]
    fn soon() -> u64 {
        RUNS.fetch_add(1, SeqCst) + 1
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let first = one.with(number);
    assert_eq!([one.with(number), other.with(number)], [first; 2]);
    assert_eq!(one.with(number::stats).refreshes, 0, "it was not time yet");

    let old = one.with(soon);
    other.with(soon);
    let new = until("it to be computed anew", || Some(one.with(soon)).filter(|it| *it > old));
    let taken = until("the other to have it", || Some(other.with(soon)).filter(|it| *it > old));
    assert!(taken >= new);
    for process in [&one, &other] {
        let stats = process.with(soon::stats);
        assert_eq!(stats.grace_hits + stats.stale_hits, 0);
    }
    let computed = one.with(soon::stats).computations + other.with(soon::stats).computations;
    assert!(computed <= 2 + (taken - new), "each computed for itself: {computed}");
}

/// A body that is told to wait as it is computed anew.
struct Held {
    runs: AtomicU64,
    gate: Gate,
}

impl Held {
    const fn new() -> Self {
        Self { runs: AtomicU64::new(0), gate: Gate::new() }
    }

    fn run(&self) -> u64 {
        let run = self.runs.fetch_add(1, SeqCst) + 1;
        if run == 2 {
            self.gate.pass();
        }
        run
    }

    /// Has it computed anew, and what that finds invalidated by another process meanwhile.
    fn overtake(&self, [one, other]: [&Runtime; 2], call: fn() -> u64, tag: &str) {
        assert_eq!([one.with(call), other.with(call)], [1, 1]);
        thread::scope(|scope| {
            until("it to be computed anew", || {
                // Once its time is over, its caller waits.
                scope.spawn(|| one.with(call));
                thread::sleep(Duration::from_millis(50));
                (self.runs.load(SeqCst) == 2).then_some(())
            });
            other.with(|| blocking::invalidate_tag(tag)).unwrap();
            self.gate.open();
        });
        assert_eq!(other.with(call), 3, "it began before");
        until("it to have heard", || {
            let served = one.with(call);
            assert_ne!(served, 2, "it was kept");
            (served > 2).then_some(())
        });
    }
}

#[test]
fn c1_one_that_is_overtaken_by_an_invalidation_of_another_process_is_dropped() {
    static NEAR: Held = Held::new();
    static FAR: Held = Held::new();

    #[cached(
        tier = "l1,l3",
        ttl = "2s",
        refresh = "1s",
        name = "refresh::near",
        tags("refresh:near")
    )]
    fn near() -> u64 {
        NEAR.run()
    }

    #[cached(tier = "l3", ttl = "2s", refresh = "1s", name = "refresh::far", tags("refresh:far"))]
    fn far() -> u64 {
        FAR.run()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    NEAR.overtake([&one, &other], near, "refresh:near");
    FAR.overtake([&one, &other], far, "refresh:far");
}
