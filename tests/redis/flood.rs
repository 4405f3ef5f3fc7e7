//! A server that has more to tell than anyone asks.

use crate::client::Client;
use crate::limit::until;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{connected, draw, keys, patient};
use larder::{OnPartition, Runtime, cached};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

const VALUES: u64 = 1_000;
const TAGS: u64 = 100;

/// Depends on a hundred keys of the server.
#[cached(tier = "l1,l3", name = "flood::tagged")]
fn tagged(number: u64) -> u64 {
    (0..TAGS).for_each(|tag| larder::tag(format!("flood:{number}:{tag}")));
    draw()
}

#[cached(tier = "l1,l3", name = "flood::double")]
fn double(number: u64) -> u64 {
    number * 2
}

fn fill(runtime: &Runtime) -> Vec<u64> {
    (0..VALUES).map(|number| runtime.with(|| tagged(number))).collect()
}

/// All values, once they are in memory: what is found is known the second time.
fn held(runtime: &Runtime) -> Vec<u64> {
    until("all values to be in memory", || {
        let [held, again] = [(); 2].map(|()| fill(runtime));
        (held == again).then_some(held)
    })
}

/// Removes versions by hand, so that everyone who read them is told of each.
fn remove(server: &Server, versions: &[String]) {
    let mut foreign = Client::connect(server.port()).unwrap();
    for versions in versions.chunks(1_000) {
        let names = versions.iter().map(String::as_str);
        foreign.command(&["DEL"].into_iter().chain(names).collect::<Vec<_>>()).unwrap();
    }
}

#[test]
fn c7_a_hundred_thousand_changes_at_once_are_heard_while_calls_go_on() {
    let server = Server::start();
    let runtime = patient(&server.url());
    let old = held(&runtime);
    let versions = keys(&server, "larder:larder:t:*");
    assert!(versions.len() as u64 >= VALUES * TAGS);
    let changes = || runtime.stats().redis.unwrap().changes;
    let before = changes();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let calls = scope.spawn(|| {
            let mut number = 0;
            while !is_over.load(SeqCst) {
                number += 1;
                assert_eq!(runtime.with(|| double(number % 5_000)), number % 5_000 * 2);
            }
            number
        });
        remove(&server, &versions);
        until("all changes to be heard", || (changes() - before >= VALUES * TAGS).then_some(()));
        is_over.store(true, SeqCst);
        assert!(calls.join().unwrap() > 0);
    });
    assert!(fill(&runtime).iter().zip(&old).all(|(new, old)| new > old));
    assert_eq!(runtime.with(|| double(7)), 14);
    assert_eq!(runtime.with(double::stats).degraded, 0);
}

/// What a process is told arrives later than it may serve what it has.
#[test]
fn c4_a_hundred_thousand_changes_that_come_slowly_leave_nothing_older_than_the_bound() {
    const BOUND: Duration = Duration::from_secs(1);
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let builder = Runtime::builder().redis(proxy.url()).coherence_bound(BOUND);
    let runtime = connected(builder.on_partition(OnPartition::Compute).build().unwrap());
    // Computed by one that has all the time it takes.
    held(&patient(&server.url()));
    let old = held(&runtime);
    let versions = keys(&server, "larder:larder:t:*");
    assert!(versions.len() as u64 >= VALUES * TAGS);
    proxy.delay(Duration::ZERO, BOUND * 3 / 2);
    remove(&server, &versions);
    let removed = Instant::now();
    let mut numbers = (0..VALUES).zip(&old).cycle();
    until("three times the bound to be over", || {
        let (number, old) = numbers.next().unwrap();
        let begun = Instant::now();
        let value = runtime.with(|| tagged(number));
        let is_over = begun > removed + BOUND;
        assert!(value > *old || !is_over, "served {:?} later", begun - removed);
        (begun > removed + 3 * BOUND).then_some(())
    });
    proxy.delay(Duration::ZERO, Duration::ZERO);
    assert!(fill(&runtime).iter().zip(&old).all(|(new, old)| new > old));
}
