//! `refresh` with values in Redis: what another process has computed anew is taken from there.

use crate::limit::until;
use crate::server::Server;
use crate::support::{draw, patient};
use larder::cached;

#[test]
fn f3_what_one_process_computes_anew_is_taken_by_the_others() {
    #[cached(tier = "l1,l3", ttl = "30s", refresh = "28s", name = "refresh::taken")]
    fn number() -> u64 {
        draw()
    }

    // In the middle of its time at the earliest, and that is 15 s.
    #[cached(tier = "l1,l3", ttl = "2s", refresh = "1s", name = "refresh::soon")]
    fn soon() -> u64 {
        draw()
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
