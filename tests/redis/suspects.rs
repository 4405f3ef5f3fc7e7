//! C3: what a process had in memory while it was told of nothing is compared before it is served again,
//! and only what has changed is fetched.

use crate::client::Reply;
use crate::limit::until;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{coarse, connected, draw, is_connected, keys, patience, patient};
use larder::testing::ManualClock;
use larder::{Breaker, Runtime, blocking, cached};
use std::time::Duration;

const LENGTH: usize = 100_000;
const PAGES: u64 = 20;

/// Long, and never the same twice.
#[cached(tier = "l1,l3", name = "suspects::page", key = "page:{number}", tags("page:{number}"))]
fn page(number: u64) -> String {
    format!("{number} {}", draw()).repeat(LENGTH).chars().take(LENGTH).collect()
}

/// All of them, once they are in memory.
fn held(runtime: &Runtime) -> Vec<String> {
    until("all pages to be in memory", || {
        let before = runtime.with(page::stats);
        let held: Vec<_> = runtime.with(|| (0..PAGES).map(page).collect());
        let after = runtime.with(page::stats);
        let is_near = (after.hits_l3, after.rechecks) == (before.hits_l3, before.rechecks);
        (is_near && after.computations == before.computations).then_some(held)
    })
}

/// A process that can be cut off, and one that can't.
fn pair(server: &Server, proxy: &Proxy) -> [Runtime; 2] {
    [connected(patience(&proxy.url()).build().unwrap()), patient(&server.url())]
}

/// Cuts a process off.
fn cut_off(proxy: &Proxy, one: &Runtime) {
    proxy.refuse();
    proxy.cut();
    until("it to be cut off", || (one.stats().redis?.breaker == Breaker::Open).then_some(()));
}

/// Cuts a process off, and lets it connect again once something has been done.
fn meanwhile(proxy: &Proxy, one: &Runtime, what: impl FnOnce()) {
    cut_off(proxy, one);
    what();
    proxy.admit();
    // Then all that it has to forget is forgotten.
    until("it to connect again", || is_connected(one).then_some(()));
}

fn sent(server: &Server) -> u64 {
    let stats = server.command(&["INFO", "stats"]).text();
    let sent = stats.split_once("total_net_output_bytes:").unwrap().1.lines().next();
    sent.unwrap().parse().unwrap()
}

#[test]
fn c3_what_is_the_same_is_not_fetched_again() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let [one, _] = pair(&server, &proxy);
    let values = held(&one);
    let (before, sent_before) = (one.with(page::stats), sent(&server));
    meanwhile(&proxy, &one, || ());
    assert!(held(&one) == values, "another value");
    let after = one.with(page::stats);
    assert_eq!((after.computations, after.hits_l3), (before.computations, before.hits_l3));
    assert!(after.rechecks >= before.rechecks + PAGES, "some were not compared");
    assert!(sent(&server) - sent_before < LENGTH as u64, "one of them was sent");
}

#[test]
fn c3_what_has_changed_is_not_taken_for_the_same() {
    const INVALIDATED: usize = 1;
    const REPLACED: usize = 2;
    const DELETED: usize = 3;
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let [one, other] = pair(&server, &proxy);
    let values = held(&one);
    let mut now = values.clone();
    meanwhile(&proxy, &one, || {
        other.with(|| blocking::invalidate_tag(format!("page:{INVALIDATED}"))).unwrap();
        now[INVALIDATED] = other.with(|| page(INVALIDATED as u64));
        // By hand: no version tells of it.
        for number in [REPLACED, DELETED] {
            let own = &values[number].as_bytes()[..LENGTH / 2];
            let is_of_it = |name: &String| match server.command(&["GET", name]) {
                Reply::Bytes(kept) => kept.windows(own.len()).any(|it| it == own),
                _ => false,
            };
            let name = keys(&server, "larder:*:v:*").into_iter().find(is_of_it);
            server.command(&["DEL", &name.unwrap()]);
        }
        now[REPLACED] = other.with(|| page(REPLACED as u64));
    });
    let after = held(&one);
    for (number, value) in after.iter().enumerate() {
        if number == DELETED {
            assert!(*value != values[number], "what was deleted is served");
        } else {
            assert!(*value == now[number], "page {number} is another one");
        }
    }
    assert!(after[INVALIDATED] != values[INVALIDATED] && after[REPLACED] != values[REPLACED]);
    assert_eq!(one.with(page::stats).computations, PAGES + 1);
}

/// C4: a process whose clock stood still, as on a machine that slept, serves nothing for longer than the
/// server would.
#[test]
fn c4_what_was_compared_lasts_no_longer_than_what_the_server_has() {
    const TTL: Duration = Duration::from_secs(3);
    const SLEPT: Duration = Duration::from_secs(1);

    #[cached(tier = "l1,l3", name = "suspects::short", ttl = "3s")]
    fn short() -> u64 {
        draw()
    }

    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let clock = ManualClock::new();
    let one = connected(patience(&proxy.url()).clock(clock.clone()).build().unwrap());
    // Until the machine was not too busy for it.
    until("it to be compared before it expires", || {
        let (begun, value) = (coarse(), one.with(short));
        until("it to have slept", || (coarse() > begun + SLEPT).then_some(()));
        let before = one.with(short::stats).rechecks;
        meanwhile(&proxy, &one, || ());
        let is_same = one.with(short) == value;
        let is_compared = is_same && one.with(short::stats).rechecks > before;
        cut_off(&proxy, &one);
        clock.advance(TTL.saturating_sub(SLEPT));
        let is_over = one.with(short) > value;
        proxy.admit();
        until("it to connect again", || is_connected(&one).then_some(()));
        assert!(is_over, "it is served for longer");
        is_compared.then_some(())
    });
}
