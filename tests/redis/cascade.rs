//! What a function calls is a part of its value, also where that is kept nearer (V7).

use crate::limit::until;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{Calls, Gate, patient, process};
use larder::{Runtime, blocking, cached};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

static ROUND: AtomicU64 = AtomicU64::new(1);

#[cached(tier = "l1", name = "cascade::inner", tags("cascade:{id}"))]
fn inner(id: u64) -> u64 {
    id * 100 + ROUND.load(SeqCst)
}

#[cached(tier = "l1,l3", name = "cascade::outer")]
fn outer(id: u64) -> u64 {
    inner(id)
}

/// Calls until what is found on the way is known from one call to the next, and so can be stored.
fn warm(runtime: &Runtime, id: u64) -> u64 {
    runtime.with(|| {
        outer(id);
        outer(id)
    })
}

#[test]
fn v7_what_is_found_on_the_way_is_captured_the_next_time_and_stored() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    let before = warm(&one, 1);
    let stored = one.with(outer::stats).stores_l3;
    assert_eq!(stored, 1);
    assert_eq!(other.with(|| outer(1)), before);
    assert_eq!(other.with(outer::stats).hits_l3, 1);
}

#[test]
fn c3_a_nearer_copy_that_is_stale_makes_nothing_stale_for_others() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    // Kept in memory alone, so no server tells of it.
    let stale = one.with(|| inner(2));
    ROUND.fetch_add(1, SeqCst);
    other.with(|| blocking::invalidate_tag("cascade:2")).unwrap();
    let found = warm(&one, 2);
    assert_ne!(found, stale);
    assert_eq!(other.with(|| outer(2)), found);
}

#[test]
fn v7_an_invalidation_of_what_is_called_reaches_what_calls_it() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    let before = warm(&one, 3);
    assert_eq!(other.with(|| outer(3)), before);
    ROUND.fetch_add(1, SeqCst);
    one.with(|| inner::invalidate(3)).unwrap();
    let after = warm(&one, 3);
    assert_ne!(after, before);
    assert_eq!(other.with(|| outer(3)), after);
}

#[cached(tier = "l1,l3", key = "part:{id}")]
fn part(id: u64) -> u64 {
    id * 100
}

#[cached(tier = "l1,l3", key = "whole:{id}")]
fn whole(id: u64) -> u64 {
    part(id) + 1
}

#[test]
fn v1_what_is_made_anew_of_what_a_pattern_does_not_name_is_shared_again() {
    let server = Server::start();
    let [one, other, third] = [(); 3].map(|()| process(&server.url()));
    one.with(|| whole(4));
    one.with(|| blocking::invalidate_pattern("whole:*")).unwrap();
    other.with(|| whole(4));
    assert_eq!(other.with(|| (whole::stats().computations, part::stats().hits_l3)), (1, 1));
    third.with(|| whole(4));
    assert_eq!(third.with(|| whole::stats().hits_l3), 1);
}

/// What bodies read, and where those wait that have read it themselves.
static RECORDS: [AtomicU64; 5] = [const { AtomicU64::new(1) }; 5];
static GATES: [Gate; 3] = [const { Gate::new() }; 3];

fn read(record: usize) -> u64 {
    RECORDS[record].load(SeqCst)
}

#[cached(tier = "l1,l3", name = "cascade::shared_record", tags("record:{record}"))]
fn shared_record(record: usize) -> u64 {
    read(record)
}

#[cached(tier = "l1", name = "cascade::near_record", tags("record:{record}"))]
fn near_record(record: usize) -> u64 {
    read(record)
}

/// Reads a record, and then calls what says that it depends on it.
#[cached(tier = "l1,l3", name = "cascade::twice")]
fn twice(record: usize, is_near: bool) -> (u64, u64) {
    let ahead = read(record);
    if let Some(gate) = GATES.get(record) {
        gate.pass();
    }
    (ahead, if is_near { near_record(record) } else { shared_record(record) })
}

/// What others are given of what was overtaken between its own look at a record and its callee's.
fn overtaken(record: usize, is_near: bool, meanwhile: impl FnOnce(&Runtime)) {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    let before = read(record);
    let found = thread::scope(|scope| {
        let slow = scope.spawn(|| one.with(|| twice(record, is_near)));
        GATES[record].await_arrivals(1);
        RECORDS[record].fetch_add(1, SeqCst);
        other.with(|| blocking::invalidate_tag(format!("record:{record}"))).unwrap();
        meanwhile(&other);
        GATES[record].open();
        slow.join().unwrap()
    });
    let after = read(record);
    assert_eq!(found, (before, after), "its caller gets what it computed");
    for process in [&one, &other] {
        assert_eq!(process.with(|| twice(record, is_near)), (after, after));
    }
}

#[test]
fn c3_what_was_read_before_a_callee_was_computed_is_overtaken_with_it() {
    overtaken(0, false, |_| {});
}

#[test]
fn c3_what_was_read_before_a_callee_was_found_is_overtaken_with_it() {
    overtaken(1, false, |other| {
        other.with(|| shared_record(1));
    });
}

#[test]
fn c3_what_was_read_before_a_callee_of_memory_was_computed_is_overtaken_with_it() {
    overtaken(2, true, |_| {});
}

#[test]
fn v7_what_a_callee_computed_meanwhile_depends_on_is_stored_at_once_if_nothing_was_invalidated() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    for is_near in [false, true] {
        let found = one.with(|| twice(3, is_near));
        assert_eq!(other.with(|| twice(3, is_near)), found);
    }
    assert_eq!(other.with(|| (twice::stats().hits_l3, twice::stats().computations)), (2, 0));
}

/// The last record, and whether who has read it waits.
const SLOW: usize = 4;
static IS_SLOW: AtomicBool = AtomicBool::new(false);
static READ: Gate = Gate::new();

#[cached(tier = "l1", name = "cascade::slow_record", tags("slow record"))]
fn slow_record() -> u64 {
    let found = read(SLOW);
    if IS_SLOW.load(SeqCst) {
        READ.pass();
    }
    found
}

#[cached(tier = "l3", name = "cascade::of_slow_record")]
fn of_slow_record() -> u64 {
    slow_record()
}

/// That this process has recorded nothing since a computation began says nothing of what others have
/// invalidated: who makes something of it for the fleet does not take it.
#[test]
fn c3_what_was_under_way_before_an_invalidation_elsewhere_is_no_part_of_what_is_shared() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    let invalidate = || other.with(|| blocking::invalidate_tag("slow record")).unwrap();
    let changes = || one.stats().redis.unwrap().changes;
    let before = changes();
    one.with(of_slow_record);
    invalidate();
    // After that, nobody tells it of the tag until it asks for that again.
    until("it to be told", || (changes() > before).then_some(()));
    IS_SLOW.store(true, SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| one.with(slow_record));
        READ.await_arrivals(1);
        RECORDS[SLOW].fetch_add(1, SeqCst);
        invalidate();
        IS_SLOW.store(false, SeqCst);
        let shared = scope.spawn(|| one.with(of_slow_record));
        // Time for it to join what is under way. Where it comes too late for that, it computes.
        thread::park_timeout(Duration::from_millis(200));
        READ.open();
        shared.join().unwrap();
    });
    assert_eq!(other.with(of_slow_record), read(SLOW));
}

static PARTS: Calls = Calls::new();

#[cached(tier = "l1", name = "cascade::counted", tags("counted:{id}"))]
fn counted(id: u64) -> u64 {
    PARTS.note();
    id
}

#[cached(tier = "l3", name = "cascade::sum")]
fn sum(id: u64) -> u64 {
    counted(id) + counted(id) + counted(id + 1)
}

#[test]
fn v7_what_is_in_memory_is_used_again_by_what_is_shared_also_where_nothing_was_looked_up() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| process(&server.url()));
    assert_eq!(one.with(|| sum::refresh(1)), 4);
    assert_eq!(PARTS.taken(), 2, "one for each key");
    other.with(|| blocking::invalidate_pattern("nothing")).unwrap();
    assert_eq!(one.with(|| sum::refresh(1)), 4);
    assert_eq!(PARTS.taken(), 0, "that meant neither");
    assert_eq!((other.with(|| sum(1)), other.with(sum::stats).hits_l3), (4, 1));
}

#[test]
fn v7_who_waits_no_longer_for_the_server_depends_on_what_was_computed_all_the_same() {
    static STALLS: AtomicBool = AtomicBool::new(false);

    #[cached(tier = "l1,l3", name = "cascade::slow", tags("slow:{id}"), skip(proxy))]
    async fn slow(id: u64, proxy: &Proxy) -> u64 {
        if STALLS.load(SeqCst) {
            // Claimed by now: what it waits for from here on is that its value is stored.
            proxy.stall_to_client();
        }
        id
    }

    #[cached(name = "cascade::hasty", skip(proxy))]
    async fn hasty(id: u64, proxy: &Proxy) -> u64 {
        let ran = async {
            while slow::stats().computations < 2 {
                futures_lite::future::yield_now().await;
            }
            0
        };
        futures_lite::future::or(slow(id, proxy), ran).await
    }

    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let runtime = patient(&proxy.url());
    futures_lite::future::block_on(runtime.scope(async {
        slow(1, &proxy).await;
        STALLS.store(true, SeqCst);
        assert_eq!(hasty(2, &proxy).await, 0, "it did not wait");
        assert_eq!(hasty::peek(2).await, Some(0));
        proxy.flow();
        larder::invalidate_tag("slow:2").await.unwrap();
        assert_eq!(hasty::peek(2).await, None);
    }));
}
