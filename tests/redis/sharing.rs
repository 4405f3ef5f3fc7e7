//! What one process computes, the others take; what one invalidates, none is served.

use crate::server::Server;
use crate::support::process;
use larder::{Runtime, blocking, cached};

#[cached(tier = "l1,l3", name = "sharing::length", tags("text:{text}"))]
fn length(text: &str) -> usize {
    text.len()
}

/// How often its body ran in some processes.
fn computed(processes: &[Runtime; 2]) -> u64 {
    processes.iter().map(|it| it.with(length::stats).computations).sum()
}

#[test]
fn what_one_process_computes_another_takes() {
    let server = Server::start();
    let processes @ [one, other] = &[(); 2].map(|()| process(&server.url()));
    assert_eq!(one.with(|| length("taken")), 5);
    assert_eq!(computed(processes), 1);
    assert_eq!(other.with(|| length("taken")), 5);
    assert_eq!(other.with(|| length("taken")), 5);
    assert_eq!(computed(processes), 1);
    let stats = other.with(length::stats);
    assert_eq!((stats.hits, stats.hits_l3, stats.misses()), (2, 1, 0));
}

#[test]
fn c3_an_invalidation_is_heard_by_other_processes() {
    let server = Server::start();
    let processes @ [one, _] = &[(); 2].map(|()| process(&server.url()));
    for runtime in processes {
        runtime.with(|| length("heard"));
    }
    let before = computed(processes);
    one.with(|| blocking::invalidate_tag("text:heard")).unwrap();
    assert_eq!(one.with(|| length("heard")), 5);
    assert_eq!(computed(processes), before + 1);
}
