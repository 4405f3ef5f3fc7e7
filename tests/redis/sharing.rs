//! What one process computes, the others take; what one invalidates, none is served.

use crate::server::Server;
use crate::support::{Calls, process};
use larder::{blocking, cached};

static CALLS: Calls = Calls::new();

#[cached(tier = "l1,l3", name = "sharing::length", tags("text:{text}"))]
fn length(text: &str) -> usize {
    CALLS.note();
    text.len()
}

#[test]
fn what_one_process_computes_another_takes() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    assert_eq!(one.with(|| length("taken")), 5);
    assert_eq!(CALLS.taken(), 1);
    assert_eq!(other.with(|| length("taken")), 5);
    assert_eq!(other.with(|| length("taken")), 5);
    assert_eq!(CALLS.taken(), 0);
    let stats = other.with(length::stats);
    assert_eq!((stats.hits, stats.hits_l3, stats.misses()), (2, 1, 0));
}

#[test]
fn c3_an_invalidation_is_heard_by_other_processes() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    for runtime in [&one, &other] {
        runtime.with(|| length("heard"));
    }
    CALLS.taken();
    one.with(|| blocking::invalidate_tag("text:heard")).unwrap();
    assert_eq!(one.with(|| length("heard")), 5);
    assert_eq!(CALLS.taken(), 1);
}
