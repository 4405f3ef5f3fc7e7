//! A server that has more to tell than anyone asks.

use crate::client::Client;
use crate::limit::until;
use crate::server::Server;
use crate::support::{draw, keys, patient};
use larder::cached;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

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

#[test]
fn c7_a_hundred_thousand_changes_at_once_are_heard_while_calls_go_on() {
    let server = Server::start();
    let runtime = patient(&server.url());
    // What is found is known the second time.
    let fill = || (0..VALUES).map(|number| runtime.with(|| tagged(number))).collect::<Vec<_>>();
    fill();
    let old = fill();
    assert_eq!(fill(), old, "it is in memory");
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
        let mut foreign = Client::connect(server.port()).unwrap();
        for version in versions.chunks(1_000) {
            let names = version.iter().map(String::as_str);
            foreign.command(&["DEL"].into_iter().chain(names).collect::<Vec<_>>()).unwrap();
        }
        until("all changes to be heard", || (changes() - before >= VALUES * TAGS).then_some(()));
        is_over.store(true, SeqCst);
        assert!(calls.join().unwrap() > 0);
    });
    assert!(fill().iter().zip(&old).all(|(new, old)| new > old));
    assert_eq!(runtime.with(|| double(7)), 14);
    assert_eq!(runtime.with(double::stats).degraded, 0);
}
