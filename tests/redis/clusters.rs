//! Servers that share the keys by slot.

use crate::client::Reply;
use crate::cluster::Cluster;
use crate::limit::until;
use crate::server::Server;
use crate::support::{Calls, connected, draw, keys, patience, patient, process};
use larder::{Breaker, ErrorKind, OnPartition, Runtime, blocking, cached};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

static CALLS: Calls = Calls::new();
static ROUND: AtomicU64 = AtomicU64::new(1);

#[cached(tier = "l1,l3", name = "clusters::number", tags("even:{even}", "all numbers"))]
fn number(id: u64, even: bool) -> u64 {
    CALLS.note();
    id * 1_000 + ROUND.load(SeqCst)
}

fn numbers(runtime: &Runtime) -> Vec<u64> {
    runtime.with(|| (0..60).map(|id| number(id, id % 2 == 0)).collect())
}

#[test]
fn c3_values_are_shared_and_forgotten_whatever_slot_they_are_in_and_a_lost_primary_takes_nothing_back()
 {
    let cluster = Cluster::start();
    let [one, other] = [(); 2].map(|()| process(&cluster.url()));
    let before = numbers(&one);
    assert_eq!(CALLS.taken(), 60);
    assert_eq!(numbers(&other), before);
    assert_eq!(CALLS.taken(), 0, "the other took all of them");

    ROUND.fetch_add(1, SeqCst);
    one.with(|| blocking::invalidate_tag("even:true")).unwrap();
    until("the other has heard of it", || (numbers(&other) != before).then_some(()));
    let half = numbers(&other);
    assert_eq!(CALLS.taken(), 30);
    assert_eq!(numbers(&one), half);
    assert_eq!(CALLS.taken(), 0);

    ROUND.fetch_add(1, SeqCst);
    one.with(|| blocking::invalidate_tagged_with_all(["even:false", "all numbers"])).unwrap();
    until("the other has heard of all of several", || (numbers(&other) != half).then_some(()));
    let all = numbers(&other);
    assert_eq!(CALLS.taken(), 30);

    ROUND.fetch_add(1, SeqCst);
    cluster.kill_primary_of(7_000);
    cluster.wait_for_failover();
    until("an invalidation reaches all servers", || {
        one.with(|| blocking::invalidate_tag("all numbers")).ok()
    });
    let one = connected(one);
    let after = numbers(&one);
    assert!(after.iter().zip(&all).all(|(after, before)| after > before), "{after:?}");
    until("the other has heard of it in spite of the loss", || {
        (numbers(&other) == after).then_some(())
    });
}

#[cached(tier = "l1,l3", name = "clusters::drawn", tags("drawn:{id}"))]
fn drawn(id: u64) -> u64 {
    let _ = id;
    draw()
}

fn all(runtime: &Runtime) -> Vec<u64> {
    runtime.with(|| (0..40).map(drawn).collect())
}

#[test]
fn a_first_call_waits_to_learn_who_has_its_key() {
    let cluster = Cluster::start();
    let value = patient(&cluster.url()).with(|| drawn(1));
    let fresh = patience(&cluster.url()).build().unwrap();
    assert_eq!(fresh.with(|| drawn(1)), value);
    assert_eq!(fresh.with(drawn::stats).degraded, 0);
}

/// Loses a primary whose slots nobody takes over, and which does not have the ledger.
fn lose_one(cluster: &Cluster) -> &Server {
    let nodes = cluster.nodes();
    for node in nodes {
        node.command(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let slot = nodes[0].command(&["CLUSTER", "KEYSLOT", "larder:larder:{ledger}"]);
    let Reply::Int(slot) = slot else { panic!("a key has a slot") };
    let ledger = cluster.primary_of(slot.try_into().unwrap()).port();
    let lost = (0..3).find(|at| nodes[*at].port() != ledger).unwrap();
    nodes[lost + 3].kill();
    nodes[lost].kill();
    &nodes[lost]
}

#[test]
fn c4_a_lost_primary_is_out_of_reach_for_what_lives_on_it() {
    let cluster = Cluster::start();
    let builder = || patience(&cluster.url());
    let jealous = connected(builder().on_partition(OnPartition::Compute).build().unwrap());
    let [one, other] = [(); 2].map(|()| patient(&cluster.url()));
    let lost = lose_one(&cluster);
    for runtime in [&jealous, &one, &other] {
        until("the loss to be noticed", || {
            (runtime.stats().redis?.breaker == Breaker::Open).then_some(())
        });
    }
    until("no other to be taken for lost", || {
        let servers = one.stats().redis?.servers;
        let open = servers.iter().filter(|it| it.breaker == Breaker::Open);
        let open: Vec<_> = open.map(|it| it.address.clone()).collect();
        (servers.len() == 3 && open == [format!("127.0.0.1:{}", lost.port())]).then_some(())
    });
    // Everything is forgotten once more when the other nodes give the lost one up.
    let before = until("all of it to be kept in memory", || {
        let before = all(&one);
        (all(&one) == before).then_some(before)
    });
    assert!(one.with(drawn::stats).degraded > 0, "some of it lives there");
    assert_ne!(all(&jealous), all(&jealous), "what nobody vouches for is not");

    let tags = || (0..40).map(|id| format!("drawn:{id}"));
    let error = one.with(|| blocking::invalidate_tags(tags())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending);
    assert!(all(&one).iter().zip(&before).all(|(now, before)| now > before));
    lost.start_again();
    until("it to be delivered", || (one.stats().redis?.pending == 0).then_some(()));
    until("all to agree", || {
        let now = all(&one);
        (all(&other) == now && all(&jealous) == now).then_some(())
    });
}

#[cached(tier = "l1,l3", name = "clusters::moving", tags("moving:{id}"))]
fn moving(id: u64) -> u64 {
    let _ = id;
    draw()
}

/// What both have, once one has taken it from the other by way of a server.
fn shared(one: &Runtime, other: &Runtime) -> u64 {
    until("a value to be shared", || {
        let hits = |runtime: &Runtime| runtime.with(moving::stats).hits_l3;
        let before = hits(one) + hits(other);
        let value = one.with(|| moving(7));
        let is_shared = other.with(|| moving(7)) == value && hits(one) + hits(other) > before;
        if !is_shared {
            // Where it is now is not known at once.
            let _ = one.with(|| moving::invalidate(7));
        }
        is_shared.then_some(value)
    })
}

fn ok(node: &Server, words: &[&str]) {
    assert_eq!(node.command(words), Reply::Status("OK".to_owned()), "{words:?}");
}

#[test]
fn c7_a_slot_that_moves_is_done_without_meanwhile_and_followed() {
    let cluster = Cluster::start();
    let [one, other] = [(); 2].map(|()| patient(&cluster.url()));
    let kept = one.with(|| moving(7));
    let primaries = &cluster.nodes()[..3];
    let value = |node| keys(node, "*:v:*").pop().map(|key| (node, key));
    let (from, value) = primaries.iter().find_map(value).expect("there is one value");
    let Reply::Int(slot) = from.command(&["CLUSTER", "KEYSLOT", &value]) else { panic!("a slot") };
    let slot = slot.to_string();
    let to = primaries.iter().find(|it| it.port() != from.port()).unwrap();
    let [from_id, to_id] = [from, to].map(|node| node.command(&["CLUSTER", "MYID"]).text());

    ok(to, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from_id]);
    ok(from, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to_id]);
    let keys = from.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).array();
    let keys: Vec<_> = keys.into_iter().map(Reply::text).collect();
    let port = to.port().to_string();
    let mut migrate = vec!["MIGRATE", "127.0.0.1", &*port, "", "0", "5000", "KEYS"];
    migrate.extend(keys.iter().map(|key| &**key));
    ok(from, &migrate);

    // A server answers nothing about several keys of a slot that moves, unless it has all of them.
    let before = other.with(|| moving(7));
    assert!(before > kept, "what is on another server now starts cold, as after a failover");
    until("the one to hear of it", || (one.with(|| moving(7)) > kept).then_some(()));

    for node in primaries {
        ok(node, &["CLUSTER", "SETSLOT", &slot, "NODE", &to_id]);
    }
    let later = shared(&one, &other);
    one.with(|| moving::invalidate(7)).unwrap();
    until("it to be heard of there", || (other.with(|| moving(7)) > later).then_some(()));
    shared(&one, &other);
}
