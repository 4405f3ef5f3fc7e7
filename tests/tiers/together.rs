//! Memory, this machine's disk and the servers together.

use crate::client::Reply;
use crate::limit::{LIMIT, until};
use crate::server::Server;
use crate::support::{Calls, connected};
use larder::{Breaker, ErrorKind, Explanation, Level, Runtime, State, blocking, cached};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A process of the machine that has a folder.
fn process(server: &Server, folder: &Path) -> Runtime {
    let builder = Runtime::builder().redis(server.url()).dir(folder);
    connected(builder.build().unwrap())
}

fn machine() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn tier(explanation: &Explanation) -> Option<Level> {
    match explanation.state {
        State::Fresh { tier, .. } => Some(tier),
        _ => None,
    }
}

static CALLS: Calls = Calls::new();
static ROUND: AtomicU64 = AtomicU64::new(1);

#[cached(tier = "l1,l2,l3", name = "together::price", tags("price:{article}"))]
fn price(article: u64) -> u64 {
    CALLS.note();
    article * 100 + ROUND.load(SeqCst)
}

#[cached(tier = "l1,l2,l3", name = "together::brief", ttl(l1 = "1s", l2 = "2s", l3 = "3s"))]
fn brief(number: u64) -> u64 {
    number
}

#[test]
fn each_tier_has_a_time_to_live_of_its_own() {
    let options = brief::stats().options;
    let ttls = [options.ttl, options.ttl_disk, options.ttl_stored];
    assert_eq!(ttls, [1, 2, 3].map(|seconds| Some(Duration::from_secs(seconds))));
    let (server, here) = (Server::start(), machine());
    let one = process(&server, here.path());
    one.with(|| brief(1));
    let left = |explanation: Explanation| match explanation.state {
        State::Fresh { left, .. } => left.unwrap(),
        _ => Duration::MAX,
    };
    assert!(left(one.with(|| brief::explain(1))) <= Duration::from_secs(1));
    let elsewhere = process(&server, machine().path());
    assert!(left(elsewhere.with(|| brief::explain(1))) > Duration::from_secs(1));
    let mut keys = server.command(&["KEYS", "larder:larder:v:*"]).array();
    let millis = server.command(&["PTTL", &keys.remove(0).text()]);
    assert!(matches!(millis, Reply::Int(2_000..=3_000)), "{millis:?}");
}

#[test]
fn a_value_is_found_in_the_nearest_tier_that_has_it() {
    let (server, here, there) = (Server::start(), machine(), machine());
    let one = process(&server, here.path());
    let first = one.with(|| price(1));
    futures_lite::future::block_on(one.close()).unwrap();
    assert_eq!(tier(&one.with(|| price::explain(1))), Some(Level::L1));

    let neighbour = process(&server, here.path());
    assert_eq!(neighbour.with(|| price(1)), first);
    let stats = neighbour.with(price::stats);
    assert_eq!((stats.hits, stats.hits_l2, stats.hits_l3, stats.misses()), (1, 1, 0, 0));

    let stranger = process(&server, there.path());
    assert_eq!(tier(&stranger.with(|| price::explain(1))), Some(Level::L3));
    assert_eq!(stranger.with(|| price::peek(1)), Some(first));
    assert_eq!(stranger.with(|| price(1)), first);
    let stats = stranger.with(price::stats);
    assert_eq!((stats.hits, stats.hits_l2, stats.hits_l3, stats.misses()), (1, 0, 1, 0));
    futures_lite::future::block_on(stranger.close()).unwrap();
    // It is on that machine's disk as well by now.
    let its_neighbour = process(&server, there.path());
    assert_eq!(its_neighbour.with(|| price(1)), first);
    assert_eq!(its_neighbour.with(price::stats).hits_l2, 1);
}

/// A number, as which something else happens when a second one is read.
#[derive(Clone, Serialize)]
struct Hooked(u64);

static BETWEEN: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

impl<'de> Deserialize<'de> for Hooked {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(from)?;
        let between = if number == 2 { BETWEEN.lock().unwrap().take() } else { None };
        if let Some(between) = between {
            between();
        }
        Ok(Self(number))
    }
}

#[cached(batch = ids, tier = "l1,l2,l3", name = "together::all")]
fn all(ids: &[u64]) -> HashMap<u64, Hooked> {
    ids.iter().map(|id| (*id, Hooked(*id))).collect()
}

#[test]
fn what_of_a_batch_is_on_disk_is_looked_for_in_one_transaction() {
    let (server, here) = (Server::start(), machine());
    let [one, other] = [(); 2].map(|()| process(&server, here.path()));
    let settle = |it: &Runtime| futures_lite::future::block_on(it.close()).unwrap();
    one.with(|| all(&[2, 3]));
    settle(&one);
    let stores = one.clone();
    *BETWEEN.lock().unwrap() = Some(Box::new(move || {
        // It waits for the server, while the other goes on with many calls.
        stores.with(|| all(&[4]));
        settle(&stores);
    }));
    assert_eq!(other.with(|| all(&[1, 2, 3, 4])).len(), 4);
    let stats = other.with(all::stats);
    // The first is missing, and the last came when the transaction had begun.
    assert_eq!((stats.hits_l2, stats.hits_l3, stats.computations), (2, 1, 1));
    assert!(BETWEEN.lock().unwrap().is_none());
}

#[test]
fn c3_a_copy_on_disk_is_not_served_by_who_never_heard_of_it() {
    let (server, here, there) = (Server::start(), machine(), machine());
    let one = process(&server, here.path());
    let before = one.with(|| price(2));
    futures_lite::future::block_on(one.close()).unwrap();
    drop(one);
    let elsewhere = process(&server, there.path());
    ROUND.fetch_add(1, SeqCst);
    elsewhere.with(|| blocking::invalidate_tag("price:2")).unwrap();
    let later = process(&server, here.path());
    assert_eq!(later.with(|| price::peek(2)), None);
    assert_ne!(later.with(|| price(2)), before);
}

#[test]
fn c3_a_copy_on_disk_does_not_pass_for_what_was_put_in_its_place_elsewhere() {
    let (server, here, there) = (Server::start(), machine(), machine());
    let one = process(&server, here.path());
    let before = one.with(|| price(4));
    futures_lite::future::block_on(one.close()).unwrap();
    drop(one);
    // By hand, so that its versions stay.
    let values = server.command(&["KEYS", "larder:*:v:*"]).array();
    let [Reply::Bytes(value)] = &values[..] else { panic!("{values:?}") };
    server.command(&[&b"DEL"[..], value]);
    ROUND.fetch_add(1, SeqCst);
    let after = process(&server, there.path()).with(|| price(4));
    assert_ne!(after, before);
    let later = process(&server, here.path());
    assert_eq!(later.with(|| price(4)), after);
    assert_eq!(later.with(price::stats).hits_l3, 1);
}

#[cached(tier = "l2", name = "together::noted", tags("noted:a", "noted:b"))]
fn noted(number: u64) -> u64 {
    number * 100 + ROUND.load(SeqCst)
}

#[cached(tier = "l3", name = "together::report")]
fn report(number: u64) -> u64 {
    noted(number)
}

/// What a machine keeps to itself is not told of what others add to the ledger: nothing that is made of
/// it may pass for later than that.
#[test]
fn c3_a_machines_own_copy_makes_nothing_stale_for_others() {
    let (server, here, there) = (Server::start(), machine(), machine());
    let one = process(&server, here.path());
    let before = one.with(|| report(1));
    futures_lite::future::block_on(one.close()).unwrap();
    drop(one);
    let elsewhere = process(&server, there.path());
    assert_eq!(elsewhere.with(|| report(1)), before);
    ROUND.fetch_add(1, SeqCst);
    elsewhere.with(|| blocking::invalidate_tagged_with_all(["noted:a", "noted:b"])).unwrap();
    let later = process(&server, here.path());
    let after: Vec<_> = (0..3).map(|_| later.with(|| report(1))).collect();
    assert!(after.iter().all(|it| *it > before), "{after:?}");
    assert_eq!(later.with(report::stats).computations, 1, "it is shared again at once");
    assert_eq!(elsewhere.with(|| report(1)), after[0]);
}

#[test]
fn c4_what_the_machine_has_is_served_while_nothing_else_can_be_asked() {
    let (server, here) = (Server::start(), machine());
    let one = process(&server, here.path());
    let before = one.with(|| price(3));
    futures_lite::future::block_on(one.close()).unwrap();
    server.kill();
    let later = Runtime::builder().redis(server.url()).dir(here.path()).build().unwrap();
    let found = until("the copy is found", || {
        let found = later.with(|| price(3));
        (later.with(price::stats).hits_l2 > 0).then_some(found)
    });
    assert_eq!(found, before);
}

/// The machine's log does not say what the servers told one of its processes.
#[test]
fn c4_what_it_heard_to_be_invalid_is_not_served_from_the_disk_either() {
    let (server, here, there) = (Server::start(), machine(), machine());
    let one = process(&server, here.path());
    let kept = [7, 8].map(|article| one.with(|| price(article)));
    futures_lite::future::block_on(one.close()).unwrap();
    let elsewhere = process(&server, there.path());
    let changes = || one.stats().redis.unwrap().changes;
    let before = changes();
    ROUND.fetch_add(1, SeqCst);
    elsewhere.with(|| blocking::invalidate_tag("price:7")).unwrap();
    until("it to hear of that", || (changes() > before).then_some(()));
    server.kill();
    until("it to miss the server", || (one.stats().redis?.breaker == Breaker::Open).then_some(()));
    assert_eq!(one.with(|| price::peek(7)), None);
    assert_ne!(one.with(|| price(7)), kept[0]);
    let later = Runtime::builder().redis(server.url()).dir(here.path()).build().unwrap();
    until("a process that heard of nothing to serve what is there", || {
        let _ = later.with(|| price(8));
        (later.with(price::stats).hits_l2 > 0).then_some(())
    });
    assert_eq!(later.with(|| price::peek(8)), Some(kept[1]));
}

#[test]
fn c5_an_invalidation_survives_the_process_that_could_not_deliver_it() {
    let (server, here, there) = (Server::start(), machine(), machine());
    let [one, neighbour] = [(); 2].map(|()| process(&server, here.path()));
    let elsewhere = process(&server, there.path());
    let before = elsewhere.with(|| price(5));
    server.pause();
    ROUND.fetch_add(1, SeqCst);
    let told = one.with(|| blocking::invalidate_tag("price:5")).unwrap_err();
    assert_eq!((told.kind(), told.tier()), (ErrorKind::Pending, Some(Level::L3)));
    assert_eq!(neighbour.stats().redis.unwrap().pending, 1);
    drop(one);
    server.resume();
    assert_ne!(neighbour.with(|| price(5)), before, "it is not taken from the server meanwhile");
    until("another process has delivered it", || {
        (neighbour.stats().redis.unwrap().pending == 0).then_some(())
    });
    until("other machines have heard of it", || {
        (elsewhere.with(|| price(5)) != before).then_some(())
    });
}

#[cached(tier = "l3", name = "together::shared", tags("shared:{number}"))]
fn shared(number: u64) -> u64 {
    number + ROUND.load(SeqCst)
}

/// The file of what waits to be delivered, and the lock that whoever changes it takes.
fn stalled(folder: &Path) -> File {
    let mut folders = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
    let path = folders.find(|it| it.is_dir()).unwrap().join("pending");
    let file = File::options().create(true).append(true).open(path).unwrap();
    rustix::fs::flock(&file, FlockOperation::LockExclusive).unwrap();
    file
}

/// Runs something that a stalled disk may not hold up.
fn promptly<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (told, heard) = mpsc::channel();
    thread::spawn(move || told.send(run()));
    heard.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

#[test]
fn c7_a_disk_that_stalls_holds_up_nobody_but_who_needs_it() {
    let (server, here) = (Server::start(), machine());
    let one = process(&server, here.path());
    let value = one.with(|| shared(1));
    let lock = stalled(here.path());
    server.command(&["ACL", "SETUSER", "default", "-unlink"]);
    let invalidating = {
        let one = one.clone();
        thread::spawn(move || one.with(|| blocking::invalidate_tag("shared:2")))
    };
    until("it to be refused", || {
        let stats = server.command(&["INFO", "commandstats"]).text();
        let refused = stats.lines().find(|it| it.starts_with("cmdstat_unlink:"));
        refused?.contains("rejected_calls=1").then_some(())
    });
    let asking = one.clone();
    let found = promptly("a value of the server", move || asking.with(|| shared(1)));
    assert_eq!((found, one.with(shared::stats).hits_l3), (value, 1));
    assert!(!invalidating.is_finished(), "it is told once its invalidation is kept");
    drop(lock);
    let told = invalidating.join().unwrap().unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Pending);
    server.command(&["ACL", "SETUSER", "default", "+unlink"]);
    until("it to be delivered", || (one.stats().redis?.pending == 0).then_some(()));
}
