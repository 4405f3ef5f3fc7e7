//! C4: a process that can't hear the server knows it within the bound, and does as it was told.

use crate::limit::until;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{coarse, coarse_tick, connected, draw, patient};
use larder::{OnPartition, Runtime, blocking, cached};
use std::thread;
use std::time::{Duration, Instant};

const BOUND: Duration = Duration::from_secs(1);
const TTL: Duration = Duration::from_secs(3);

#[cached(tier = "l1,l3", name = "partition::drawn", tags("partition"))]
fn drawn() -> u64 {
    draw()
}

#[cached(tier = "l1,l3", name = "partition::short", ttl = "3s")]
fn short() -> u64 {
    draw()
}

/// A process behind a proxy, and one that stays connected.
fn parted(server: &Server, proxy: &Proxy, on_partition: OnPartition) -> (Runtime, Runtime) {
    let builder = Runtime::builder().redis(proxy.url()).coherence_bound(BOUND);
    let one = connected(builder.on_partition(on_partition).build().unwrap());
    (one, patient(&server.url()))
}

/// A value that is in memory.
fn held(runtime: &Runtime, f: fn() -> u64) -> u64 {
    until("a value in memory", || {
        let value = runtime.with(f);
        let computed = runtime.with(|| drawn::stats().hits_l3 + short::stats().hits_l3);
        let again = runtime.with(f);
        let after = runtime.with(|| drawn::stats().hits_l3 + short::stats().hits_l3);
        (again == value && computed == after).then_some(value)
    })
}

/// Has a tag invalidated that a process which asks for it can't hear of.
fn serves_nothing_older_than_the_bound(stop: fn(&Proxy)) {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = parted(&server, &proxy, OnPartition::Compute);
    let old = held(&one, drawn);
    assert_eq!(other.with(drawn), old);
    stop(&proxy);
    other.with(|| blocking::invalidate_tag("partition")).unwrap();
    let invalidated = Instant::now();
    until("the bound to be over", || {
        let begun = Instant::now();
        let value = one.with(drawn);
        let is_over = begun > invalidated + BOUND;
        assert!(value > old || !is_over, "served {:?} later", begun - invalidated);
        is_over.then_some(())
    });
    // What is computed now is nobody's but the caller's.
    let value = one.with(drawn);
    assert!(one.with(drawn) > value);
    proxy.flow();
    proxy.admit();
    let new = other.with(drawn);
    until("it to hear again", || (one.with(drawn) == new).then_some(()));
    assert_eq!(held(&one, drawn), new);
}

#[test]
fn c4_nothing_is_served_that_was_not_vouched_for_when_nothing_arrives() {
    serves_nothing_older_than_the_bound(Proxy::stall_to_client);
    serves_nothing_older_than_the_bound(Proxy::swallow_to_client);
}

#[test]
fn c4_nothing_is_served_that_was_not_vouched_for_when_nothing_can_be_asked() {
    serves_nothing_older_than_the_bound(Proxy::stall_to_server);
}

#[test]
fn c4_nothing_is_served_that_was_not_vouched_for_when_there_is_no_connection() {
    serves_nothing_older_than_the_bound(|proxy| {
        proxy.refuse();
        proxy.cut();
    });
}

/// An answer vouches for the time before it was asked for: what was changed while it was on its way
/// may be on its way as well.
#[test]
fn c4_an_answer_that_comes_late_does_not_vouch_for_the_time_it_took() {
    // The later of the two is as late as answers can be at all that are in time for the next to be
    // asked for.
    is_vouched_for_from_the_question_on(&[300, 600]);
    is_vouched_for_from_the_question_on(&[900]);
}

/// Has answers be late, by one delay after the other, and then what was invalidated behind them lost.
fn is_vouched_for_from_the_question_on(delays: &[u64]) {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = parted(&server, &proxy, OnPartition::Compute);
    let old = held(&one, drawn);
    assert_eq!(other.with(drawn), old);
    let delays: Vec<_> = delays.iter().map(|it| Duration::from_millis(*it)).collect();
    for delay in &delays {
        proxy.delay(Duration::ZERO, *delay);
        let begun = Instant::now();
        until("only late answers to come", || (begun.elapsed() > *delay * 2).then_some(()));
    }
    other.with(|| blocking::invalidate_tag("partition")).unwrap();
    let invalidated = Instant::now();
    // The news is still on its way, behind the answers to what was asked before.
    let almost = delays[delays.len() - 1].saturating_sub(Duration::from_millis(100));
    until("almost all to arrive", || (invalidated.elapsed() > almost).then_some(()));
    proxy.swallow_to_client();
    until("twice the bound to be over", || {
        let begun = Instant::now();
        let value = one.with(drawn);
        let is_over = begun > invalidated + BOUND;
        assert!(value > old || !is_over, "served {:?} later", begun - invalidated);
        (begun > invalidated + 2 * BOUND).then_some(())
    });
}

#[test]
fn c4_what_is_in_memory_is_served_until_it_expires_and_not_beyond() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = parted(&server, &proxy, OnPartition::Serve);
    let old = held(&one, short);
    let computed = coarse_tick();
    proxy.refuse();
    proxy.cut();
    until("the connection to be missed", || {
        (one.stats().redis?.breaker == larder::Breaker::Open).then_some(())
    });
    let at_hand = one.with(short) == old;
    assert!(at_hand || coarse() > computed + TTL / 2, "it is not served");
    other.with(short::invalidate_all).unwrap();
    until("it to expire", || {
        let begun = coarse();
        let value = one.with(short);
        let is_over = begun > computed + TTL;
        assert!(value > old || !is_over, "served {:?} later", begun.saturating_sub(computed));
        is_over.then_some(())
    });
}

#[test]
fn c4_what_is_computed_during_a_partition_is_kept_until_it_ends() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = parted(&server, &proxy, OnPartition::Serve);
    let old = held(&one, drawn);
    proxy.refuse();
    proxy.cut();
    until("the connection to be missed", || {
        (one.stats().redis?.breaker == larder::Breaker::Open).then_some(())
    });
    assert_eq!(one.with(drawn), old);
    let _ = one.with(|| blocking::invalidate_tag("partition"));
    let alone = one.with(drawn);
    assert!(alone > old);
    assert_eq!(one.with(drawn), alone, "it is kept");
    proxy.admit();
    until("it to be shared again", || {
        let shared = other.with(drawn);
        (shared > alone && one.with(drawn) == shared).then_some(())
    });
}

#[test]
fn c4_what_was_invalidated_during_a_partition_is_heard_of_after_it() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = parted(&server, &proxy, OnPartition::Serve);
    let cut: fn(&Proxy) = |proxy| {
        proxy.refuse();
        proxy.cut();
    };
    for stop in [Proxy::stall_to_client, Proxy::stall_to_server, cut] {
        let old = held(&one, drawn);
        stop(&proxy);
        other.with(|| blocking::invalidate_tag("partition")).unwrap();
        let new = other.with(drawn);
        assert!(new > old);
        proxy.flow();
        proxy.admit();
        until("it to be heard of", || (one.with(drawn) == new).then_some(()));
        assert_eq!(held(&one, drawn), new);
    }
}

/// The heartbeat is what vouches, and does so as long as nothing is wrong.
#[test]
fn c4_nothing_is_computed_anew_while_all_is_well() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, _) = parted(&server, &proxy, OnPartition::Compute);
    let value = held(&one, drawn);
    let begun = Instant::now();
    while begun.elapsed() < 2 * BOUND {
        assert_eq!(one.with(drawn), value);
        thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!(one.with(drawn::stats).computations, 1);
}
