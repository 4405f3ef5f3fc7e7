//! C7: whatever becomes of the server and the way to it, callers get what the function returns, and
//! it is used again as soon as it can be.

use crate::limit::until;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{connected, draw, patience, patient, process};
use larder::{Breaker, OnFailover, RedisStats, Runtime, blocking, cached};
use std::time::Duration;

#[cached(tier = "l3", name = "faults::length")]
fn length(text: &str) -> usize {
    text.len()
}

#[cached(tier = "l1,l3", name = "faults::drawn", tags("drawn:{name}"))]
fn drawn(name: &str) -> u64 {
    let _ = name;
    draw()
}

fn redis(runtime: &Runtime) -> RedisStats {
    runtime.stats().redis.expect("there is a tier")
}

/// Calls are answered rightly, and none of them by the server.
fn does_without(runtime: &Runtime) {
    let before = runtime.with(length::stats);
    for round in 0..20 {
        let text = "x".repeat(round);
        assert_eq!(runtime.with(|| length(&text)), round);
    }
    let after = runtime.with(length::stats);
    assert_eq!(after.computations - before.computations, 20);
    assert!(after.degraded - before.degraded >= 20, "each is counted");
}

/// Waits until nobody asks the server any more, while calls are answered.
fn gives_up(runtime: &Runtime) {
    until("the breaker to open", || {
        does_without(runtime);
        (redis(runtime).breaker == Breaker::Open).then_some(())
    });
}

/// Waits until what is computed is shared again.
fn recovers(runtime: &Runtime) {
    until("the tier to be used again", || {
        let text = "y".repeat(usize::try_from(draw() % 10_000).unwrap());
        let before = runtime.with(length::stats);
        for _ in 0..2 {
            assert_eq!(runtime.with(|| length(&text)), text.len());
        }
        (runtime.with(length::stats).hits_l3 > before.hits_l3).then_some(())
    });
    assert_eq!(redis(runtime).breaker, Breaker::Closed);
}

#[test]
fn c7_a_server_that_was_never_there_is_done_without_and_used_once_it_comes() {
    let server = Server::start();
    server.kill();
    let runtime = Runtime::builder().redis(server.url()).build().unwrap();
    does_without(&runtime);
    assert_eq!(redis(&runtime).breaker, Breaker::Open);
    assert_eq!(redis(&runtime).connections, 0);
    server.start_again();
    recovers(&runtime);
}

#[test]
fn c7_a_server_that_never_answered_is_done_without_and_used_once_it_does() {
    let server = Server::start();
    server.pause();
    let runtime = Runtime::builder().redis(server.url()).build().unwrap();
    gives_up(&runtime);
    server.resume();
    recovers(&runtime);
}

#[test]
fn c7_a_server_that_is_killed_is_done_without_until_it_is_back() {
    let server = Server::start();
    let runtime = process(&server.url());
    for _ in 0..3 {
        recovers(&runtime);
        server.kill();
        gives_up(&runtime);
        server.start_again();
    }
    recovers(&runtime);
    assert!(redis(&runtime).connections >= 4);
}

#[test]
fn c7_a_server_that_is_paused_is_done_without_until_it_goes_on() {
    let server = Server::start();
    let runtime = process(&server.url());
    recovers(&runtime);
    server.pause();
    gives_up(&runtime);
    assert!(redis(&runtime).late > 0);
    server.resume();
    recovers(&runtime);
}

#[test]
fn c7_a_server_that_takes_two_seconds_for_an_answer_is_done_without() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let runtime = process(&proxy.url());
    recovers(&runtime);
    proxy.delay(Duration::ZERO, Duration::from_secs(2));
    gives_up(&runtime);
    let late = redis(&runtime).late;
    does_without(&runtime);
    assert!(redis(&runtime).late <= late + 1, "who gave up tries once in a while");
    proxy.delay(Duration::ZERO, Duration::ZERO);
    recovers(&runtime);
}

#[test]
fn c7_a_server_that_is_slower_than_calls_may_wait_is_done_without() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let runtime = process(&proxy.url());
    recovers(&runtime);
    let opened = redis(&runtime).breaker_openings;
    // Heartbeats are answered in time.
    proxy.delay(Duration::ZERO, Duration::from_millis(200));
    gives_up(&runtime);
    assert!(redis(&runtime).breaker_openings > opened);
    proxy.delay(Duration::ZERO, Duration::ZERO);
    recovers(&runtime);
}

/// What is computed while nobody asks the server is not known to it: its end would not be told.
/// To look takes most of the time that a call may wait: to store, it has what is left, which is not
/// enough, and not as much again.
#[test]
fn c7_to_look_and_to_store_are_waited_for_no_longer_than_the_deadline_together() {
    const DEADLINE: Duration = Duration::from_secs(2);

    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let builder = Runtime::builder().redis(proxy.url()).redis_deadline(DEADLINE);
    let runtime = connected(builder.coherence_bound(Duration::from_secs(10)).build().unwrap());
    // Three trips until the value is computed, and one to store it.
    proxy.delay(Duration::ZERO, DEADLINE * 3 / 10);
    let found = runtime.with(|| drawn("slowly"));
    let stats = runtime.with(drawn::stats);
    assert_eq!((stats.computations, stats.stores_l3), (1, 0));
    proxy.delay(Duration::ZERO, Duration::ZERO);
    let again = until("it to be stored", || {
        let again = runtime.with(|| drawn("slowly"));
        let stats = runtime.with(drawn::stats);
        (stats.stores_l3 + stats.hits_l3 > 0).then_some(again)
    });
    assert!(again >= found);
}

#[test]
fn c3_what_was_computed_while_the_breaker_was_open_is_not_kept_when_it_closes() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = (process(&proxy.url()), patient(&server.url()));
    proxy.delay(Duration::ZERO, Duration::from_millis(200));
    gives_up(&one);
    let alone = until("a value in memory", || {
        let value = one.with(|| drawn("alone"));
        (one.with(|| drawn("alone")) == value).then_some(value)
    });
    proxy.delay(Duration::ZERO, Duration::ZERO);
    recovers(&one);
    other.with(|| blocking::invalidate_tag("drawn:alone")).unwrap();
    until("it to be heard", || (one.with(|| drawn("alone")) > alone).then_some(()));
}

#[test]
fn c7_connections_that_are_cut_are_made_anew() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let runtime = process(&proxy.url());
    for _ in 0..5 {
        recovers(&runtime);
        proxy.cut();
        let text = "z".repeat(100);
        assert_eq!(runtime.with(|| length(&text)), 100);
    }
    recovers(&runtime);
    proxy.refuse();
    proxy.cut();
    gives_up(&runtime);
    proxy.admit();
    recovers(&runtime);
}

#[test]
fn c7_answers_that_end_in_the_middle_are_none() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let runtime = process(&proxy.url());
    for bytes in [0, 1, 7, 50, 400, 1_000] {
        recovers(&runtime);
        proxy.truncate_to_client(bytes);
        proxy.cut();
        for round in 0..50 {
            let text = "t".repeat(round);
            assert_eq!(runtime.with(|| length(&text)), round);
        }
        proxy.flow();
        proxy.cut();
    }
    recovers(&runtime);
}

#[test]
fn c7_a_link_that_is_open_one_way_is_given_up() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let runtime = process(&proxy.url());
    for stop in [Proxy::stall_to_client, Proxy::stall_to_server, Proxy::swallow_to_client] {
        recovers(&runtime);
        let before = proxy.connections();
        stop(&proxy);
        gives_up(&runtime);
        until("another connection to be tried", || {
            does_without(&runtime);
            (proxy.connections() > before).then_some(())
        });
        proxy.flow();
        recovers(&runtime);
    }
}

/// A server that keeps what it has, when told to.
fn keeping() -> Server {
    Server::with(&["--save", "3600 1000000"])
}

#[test]
fn c3_what_a_server_brings_back_from_before_it_started_is_not_served() {
    let server = keeping();
    let one = patient(&server.url());
    let before = one.with(|| drawn("kept"));
    server.command(&["SAVE"]);
    server.kill();
    server.start_again();
    let fresh = patient(&server.url());
    let after = fresh.with(|| drawn("kept"));
    assert!(after > before);
    until("the other to follow", || (one.with(|| drawn("kept")) == after).then_some(()));
}

#[test]
fn c3_what_a_server_brings_back_is_served_where_it_is_trusted() {
    let server = keeping();
    let trusting =
        || connected(patience(&server.url()).on_failover(OnFailover::Trust).build().unwrap());
    let one = trusting();
    let before = one.with(|| drawn("trusted"));
    server.command(&["SAVE"]);
    server.kill();
    server.start_again();
    assert_eq!(trusting().with(|| drawn("trusted")), before);
    until("the server to be back", || {
        (redis(&one).breaker == Breaker::Closed && one.with(|| drawn("trusted")) == before)
            .then_some(())
    });
    assert_eq!(one.with(drawn::stats).computations, 1);
}

#[test]
fn c3_an_invalidation_outlives_a_server_that_comes_back_from_before_it() {
    let server = keeping();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let value = one.with(|| drawn("old"));
    assert_eq!(other.with(|| drawn("old")), value);
    server.command(&["SAVE"]);
    one.with(|| blocking::invalidate_tag("drawn:old")).unwrap();
    until("it to be heard", || (other.with(|| drawn("old")) > value).then_some(()));
    server.kill();
    server.start_again();
    let fresh = patient(&server.url());
    for runtime in [&one, &other, &fresh, &one] {
        assert!(runtime.with(|| drawn("old")) > value);
        recovers(runtime);
        assert!(runtime.with(|| drawn("old")) > value);
    }
}
