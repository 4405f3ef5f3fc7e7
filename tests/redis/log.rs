//! C7: what is wrong with a server is said in the log, once, and tells no secrets.

use crate::hearing::{self, said};
use crate::limit::until;
use crate::server::Server;
use crate::support::{Calls, keys, patient, process};
use larder::{Breaker, Runtime, blocking, cached};
use log::LevelFilter;

fn listen() {
    hearing::listen(LevelFilter::Info, |_| ());
}

fn said_of(server: &Server, what: &str) -> Vec<String> {
    said(&[&format!(":{}:", server.port()), what])
}

#[cached(tier = "l3", name = "log::length", wait = "10m")]
fn length(number: usize) -> String {
    "x".repeat(number)
}

/// Calls are answered.
fn answers(runtime: &Runtime) {
    for number in 0..20 {
        assert_eq!(runtime.with(|| length(number)).len(), number);
    }
}

/// A server that something is done to refuses again and again, and one line says so.
fn is_spoken_of_once(harm: &[&[&str]], what: &str) {
    listen();
    let server = Server::start();
    let runtime = patient(&server.url());
    for command in harm {
        server.command(command);
    }
    answers(&runtime);
    assert_eq!(said_of(&server, what).len(), 1);
}

#[test]
fn c7_a_full_server_is_spoken_of_once() {
    let full = [
        &["CONFIG", "SET", "maxmemory-policy", "noeviction"][..],
        &["CONFIG", "SET", "maxmemory", "1"],
    ];
    is_spoken_of_once(&full, "it has no room");
}

#[test]
fn c7_a_user_who_may_not_is_spoken_of_once() {
    let limited = [&["ACL", "SETUSER", "default", "-set"][..]];
    is_spoken_of_once(&limited, "may not do what is needed");
}

#[test]
fn c7_that_a_server_is_not_asked_is_said_once_and_that_it_is_again() {
    listen();
    let server = Server::start();
    let runtime = process(&server.url());
    // It answers heartbeats, and nothing that changes anything.
    server.command(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    until("the breaker to open", || {
        answers(&runtime);
        (runtime.stats().redis?.breaker != Breaker::Closed).then_some(())
    });
    let before = runtime.with(length::stats).degraded;
    answers(&runtime);
    let said_so = said_of(&server, "not asked for a while").len() as u64;
    // On a busy machine it may have been tried again by now.
    let openings = runtime.stats().redis.unwrap().breaker_openings;
    assert!((1..=openings).contains(&said_so), "{said_so} times, for {openings}");
    assert!(runtime.with(length::stats).degraded - before > openings);
    server.command(&["CLIENT", "UNPAUSE"]);
    until("the tier to be used again", || {
        answers(&runtime);
        said(&[&format!(":{} ", server.port()), "is asked again"]).first().map(drop)
    });
}

#[test]
fn c7_of_damaged_entries_the_first_is_named() {
    listen();
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    answers(&one);
    let entries = keys(&server, "*:v:*");
    assert_eq!(entries.len(), 20);
    for entry in &entries {
        server.command(&["SET", entry, "no entry at all"]);
    }
    answers(&other);
    assert_eq!(other.with(length::stats).computations, 20);
    let named = entries.iter().flat_map(|entry| said(&[entry, "can't be read"]));
    assert_eq!(named.count(), 1);
}

#[test]
fn no_password_is_ever_said() {
    listen();
    let server = Server::start();
    let url = format!("redis://somebody:open-sesame@127.0.0.1:{}", server.port());
    let runtime = Runtime::builder().redis(&url).build().unwrap();
    until("it to be said that there is no way in", || {
        answers(&runtime);
        said_of(&server, "is done without").first().map(drop)
    });
    server.kill();
    answers(&runtime);
    assert_eq!(said(&["sesame"]), [""; 0]);
    let shown = format!("{runtime:?} {:?}", runtime.stats());
    assert!(!shown.contains("sesame"), "{shown}");
}

#[test]
fn c7_that_no_server_is_configured_is_said_once_and_everything_else_works() {
    #[cached(tier = "l1,l3", name = "log::alone", tags("alone"))]
    fn alone(number: u64) -> u64 {
        CALLS.note();
        number
    }

    #[cached(tier = "l3", name = "log::nowhere")]
    fn nowhere(number: u64) -> u64 {
        number
    }

    static CALLS: Calls = Calls::new();
    listen();
    // As nobody sets it for the tests.
    assert_eq!(std::env::var_os("LARDER_REDIS_URL"), None);
    let runtime = Runtime::builder().build().unwrap();
    for number in [1, 2, 1, 2] {
        assert_eq!(runtime.with(|| (alone(number), nowhere(number))), (number, number));
    }
    assert_eq!(CALLS.taken(), 2);
    runtime.with(|| blocking::invalidate_tag("alone")).unwrap();
    assert_eq!((runtime.with(|| alone(1)), CALLS.taken()), (1, 1));
    assert_eq!(runtime.stats().redis, None);
    assert_eq!(said(&["does without `l3`: no server is configured"]).len(), 1);
}
