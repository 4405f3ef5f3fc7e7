//! What is said around a call of a function in Redis.

use crate::limit::until;
use crate::server::Server;
use crate::support::{Gate, Slow, draw, keys, patient};
use larder::{FunctionStats, Level, Options, blocking, cached};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

#[test]
fn what_is_not_written_is_kept_nowhere_and_claims_nothing() {
    #[cached(tier = "l1,l3", name = "per_call::unwritten")]
    fn both() -> u64 {
        draw()
    }

    let server = Server::start();
    let one = patient(&server.url());
    for options in [Options::new().skip_write(), Options::new().read_only()] {
        one.with(|| both::with(options));
        assert_eq!(one.with(both::peek), None, "{options:?}");
        let kept = [keys(&server, "larder:*:v:*"), keys(&server, "larder:*:l:*")];
        assert_eq!(kept, [const { Vec::<String>::new() }; 2], "{options:?}");
    }
    let stored = one.with(both);
    assert_eq!(one.with(|| both::with(Options::new().skip_write())), stored);
    let past = one.with(|| both::with(Options::new().skip_write().skip_read()));
    assert!(past > stored);
    assert_eq!(one.with(both), stored, "what was not to be written replaced what was");
}

#[test]
fn c3_without_the_tier_that_tells_of_its_end_nothing_is_kept() {
    #[cached(tier = "l1,l3", name = "per_call::untold")]
    fn both() -> u64 {
        draw()
    }

    let server = Server::start();
    let one = patient(&server.url());
    let here = Options::new().tiers([Level::L1]);
    let first = one.with(|| both::with(here));
    assert!(one.with(|| both::with(here)) > first, "nobody would tell of its end");
    let stored = one.with(both);
    assert_eq!(one.with(|| both::with(here)), stored, "memory was to be read");
}

/// Who computes without the server never hears what others invalidate meanwhile. So who asks the server does not
/// take it from there, and who does not either does.
#[test]
fn c3_what_is_computed_without_the_server_is_not_for_those_who_ask_it() {
    static NEAR: Slow = Slow::new();
    static FAR: Slow = Slow::new();

    #[cached(tier = "l1,l3", name = "per_call::aloof", tags("per_call:aloof"))]
    fn near() -> u64 {
        NEAR.run()
    }

    #[cached(tier = "l3", name = "per_call::aloof_far", tags("per_call:aloof_far"))]
    fn far() -> u64 {
        FAR.run()
    }

    type Stats = fn() -> FunctionStats;
    type Case = (&'static str, &'static Slow, fn() -> u64, fn(Options) -> u64, Stats);
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    // Of neither tag the process has heard before.
    let cases: [Case; 2] = [
        ("per_call:aloof", &NEAR, near, near::with, near::stats),
        ("per_call:aloof_far", &FAR, far, far::with, far::stats),
    ];
    for (tag, slow, call, call_with, stats) in cases {
        slow.waits.store(true, SeqCst);
        let here = Options::new().tiers([Level::L1]);
        thread::scope(|scope| {
            let aloof = scope.spawn(|| one.with(|| call_with(here)));
            slow.gate.await_arrivals(1);
            other.with(|| blocking::invalidate_tag(tag)).unwrap();
            let beside = scope.spawn(|| one.with(|| call_with(here)));
            let asking = scope.spawn(|| one.with(call));
            until("both to wait", || (one.with(stats).misses() >= 3).then_some(()));
            slow.gate.open();
            let [aloof, beside, asking] = [aloof, beside, asking].map(|it| it.join().unwrap());
            assert_eq!(beside, aloof);
            assert!(asking > aloof, "what was computed before the invalidation was served");
        });
        assert_eq!(one.with(stats).computations, 2);
    }
}

#[test]
fn a_farther_tier_alone_is_asked_every_time() {
    #[cached(tier = "l1,l3", name = "per_call::far")]
    fn both() -> u64 {
        draw()
    }

    let server = Server::start();
    let one = patient(&server.url());
    let far = Options::new().tiers([Level::L3]);
    let stored = one.with(|| both::with(far));
    assert_eq!([one.with(|| both::with(far)), one.with(|| both::with(far))], [stored; 2]);
    let stats = one.with(both::stats);
    assert_eq!((stats.computations, stats.hits_l3), (1, 2));
}

#[test]
fn c3_what_is_forced_is_forgotten_in_every_process() {
    #[cached(tier = "l1,l3", name = "per_call::forced")]
    fn both() -> u64 {
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let old = one.with(both);
    assert_eq!(other.with(both), old);
    let new = one.with(|| both::with(Options::new().force()));
    assert!(new > old);
    until("the other to hear of it", || (other.with(both) == new).then_some(()));
}

#[test]
fn what_neither_reads_nor_writes_leaves_the_right_to_store_with_who_has_it() {
    static GATE: Gate = Gate::new();
    static WAITS: AtomicBool = AtomicBool::new(true);

    #[cached(tier = "l1,l3", name = "per_call::aside")]
    fn slow() -> u64 {
        if WAITS.swap(false, SeqCst) {
            GATE.pass();
        }
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    thread::scope(|scope| {
        let computing = scope.spawn(|| one.with(slow));
        GATE.await_arrivals(1);
        other.with(|| slow::with(Options::new().skip_read().skip_write()));
        GATE.open();
        let value = computing.join().unwrap();
        assert_eq!(other.with(slow), value, "it was not stored");
    });
    assert_eq!(one.with(slow::stats).stores_l3, 1);
}

#[test]
fn c7_explain_says_what_each_tier_has_and_whether_the_server_is_asked() {
    #[cached(tier = "l1,l3", ttl = "1h", name = "per_call::explained")]
    fn both() -> u64 {
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let explain = |process: &larder::Runtime| process.with(both::explain).to_string();
    assert!(explain(&one).ends_with("there is no entry; L1 has none, L3 has none"));
    one.with(both);
    assert!(explain(&one).ends_with("; L1 has it, L3 has it"), "{}", explain(&one));
    assert!(explain(&other).ends_with("; L1 has none, L3 has it"), "{}", explain(&other));
    assert!(explain(&other).contains("would be served from L3"));
    server.kill();
    until("the server to be done without", || {
        explain(&one)
            .ends_with("; L1 has it, L3 can't be asked; Redis is done without for now")
            .then_some(())
    });
    assert_eq!(one.with(both::stats).computations, 1);
    let nothing = format!(
        "{} would be computed: what may have an entry can't be asked for it; L1 has none, L3 can't be \
         asked; Redis is done without for now",
        other.with(both::explain).call
    );
    until("the other to do without, too", || (explain(&other) == nothing).then_some(()));
}
