//! Invalidations that name no single key or tag: they take what they mean, and nothing else.

use crate::limit::until;
use crate::server::Server;
use crate::support::{draw, process};
use larder::{Runtime, blocking, cached};

#[cached(tier = "l1,l3", key = "ledger:{id}", tags("ledger", "ledger:even:{even}"))]
fn drawn(id: u64, even: bool) -> u64 {
    let _ = (id, even);
    draw()
}

fn call(runtime: &Runtime, id: u64) -> u64 {
    runtime.with(|| drawn(id, id.is_multiple_of(2)))
}

fn found_in_l3(runtime: &Runtime) -> u64 {
    runtime.with(drawn::stats).hits_l3
}

/// What an invalidation by one of two processes leaves in the memory of both.
fn takes_only_what_is_meant(invalidate: fn() -> Result<(), larder::Error>) {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    let old: Vec<_> = (0..4).map(|id| call(&one, id)).collect();
    assert_eq!((0..4).map(|id| call(&other, id)).collect::<Vec<_>>(), old);
    other.with(invalidate).unwrap();
    let new = call(&other, 2);
    assert!(new > old[2], "who invalidates has done so at once");
    until("the other process to hear of it", || (call(&one, 2) == new).then_some(()));
    let read = [&one, &other].map(found_in_l3);
    for process in [&one, &other] {
        let kept = [0, 1, 3].map(|id| call(process, id));
        assert_eq!(kept, [old[0], old[1], old[3]]);
    }
    assert_eq!([&one, &other].map(found_in_l3), read, "they were in memory still");
}

#[test]
fn v1_a_pattern_takes_nothing_else_out_of_memory() {
    takes_only_what_is_meant(|| blocking::invalidate_pattern("ledger:2"));
}

#[test]
fn v1_several_tags_take_only_what_carries_all_of_them() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    let [even, odd] = [2, 3].map(|id| call(&one, id));
    other.with(|| blocking::invalidate_tagged_with_all(["ledger", "ledger:even:true"])).unwrap();
    let new = until("it to be heard of", || Some(call(&one, 2)).filter(|new| *new > even));
    assert_eq!([2, 3].map(|id| call(&other, id)), [new, odd]);
    let read = found_in_l3(&one);
    assert_eq!((call(&one, 3), found_in_l3(&one)), (odd, read));
}

#[test]
fn v1_a_value_outlives_a_thousand_patterns_that_do_not_mean_it_and_no_more() {
    let server = Server::start();
    let [one, other, third] = [(); 3].map(|()| process(&server.url()));
    let old = call(&one, 5);
    let invalidate = |count: u64| {
        for id in 0..count {
            other.with(|| blocking::invalidate_pattern(format!("nobody:{id}"))).unwrap();
        }
    };
    invalidate(1_000);
    assert_eq!((call(&third, 5), found_in_l3(&third)), (old, 1));
    let ledger = third.stats().redis.unwrap();
    assert_eq!(ledger.ledger_entries, 1_000);
    assert!(ledger.ledger_bytes > 40_000, "{ledger:?}");
    // Who has read the end of the list, to keep up with it, reads the rest when there is need to.
    let follower = process(&server.url());
    call(&follower, 6);
    let changes = || follower.stats().redis.unwrap().changes;
    let before = changes();
    invalidate(1);
    until("it to be told of", || (changes() > before).then_some(()));
    until("the end of the list to be read", || {
        (follower.stats().redis.unwrap().ledger_bytes > 0).then_some(())
    });
    assert_eq!((call(&follower, 5), found_in_l3(&follower)), (old, 1));
    invalidate(100);
    let fourth = process(&server.url());
    // What the list does not reach back to may have been meant.
    assert!(call(&fourth, 5) > old);
    assert_eq!(fourth.stats().redis.unwrap().ledger_entries, 1_024);
}
