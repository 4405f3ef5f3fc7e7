//! C7: a server that will not do what it is asked for is done without, as far as it will not.

use crate::client::Reply;
use crate::limit::until;
use crate::server::Server;
use crate::support::{draw, patience, patient, process};
use larder::{Breaker, ErrorKind, Runtime, blocking, cached};

#[cached(tier = "l3", name = "refusals::length", wait = "10m", tags("refusals", "length:{number}"))]
fn length(number: usize) -> String {
    "x".repeat(number)
}

#[cached(tier = "l1,l3", name = "refusals::drawn", wait = "10m", tags("drawn:{number}"))]
fn drawn(number: u64) -> u64 {
    let _ = number;
    draw()
}

/// Calls are answered as if there were no server.
fn answers(runtime: &Runtime) {
    for number in (0..10).chain(0..10) {
        assert_eq!(runtime.with(|| length(number)).len(), number);
    }
}

/// Waits until what one process computes is taken by another.
fn shares(one: &Runtime, other: &Runtime) {
    until("values to be shared", || {
        let number = draw();
        let before = other.with(drawn::stats).hits_l3;
        let value = one.with(|| drawn(number));
        (other.with(|| drawn(number)) == value && other.with(drawn::stats).hits_l3 > before)
            .then_some(())
    });
}

#[test]
fn c7_a_full_server_is_read_and_no_more() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let kept = one.with(|| drawn(1));
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(other.with(|| drawn(1)), kept, "what is there is taken");
    answers(&one);
    let stats = one.with(length::stats);
    assert_eq!((stats.stores_l3, stats.computations), (0, 20));
    assert!(stats.degraded >= 20);
    // It still forgets: by tag, and by what would have to be written down.
    one.with(|| blocking::invalidate_tag("drawn:1")).unwrap();
    until("it to be heard", || (other.with(|| drawn(1)) > kept).then_some(()));
    one.with(|| blocking::invalidate_pattern("refusals*")).unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    shares(&one, &other);
}

#[test]
fn c7_a_server_that_evicts_loses_values_and_serves_none_wrongly() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-lru"]);
    let used = server.command(&["INFO", "memory"]).text();
    let used = used.lines().find_map(|it| it.strip_prefix("used_memory:")).unwrap();
    let limit = used.trim().parse::<u64>().unwrap() + (1 << 20);
    server.command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let mut last = [0; 40];
    for round in 0..200_u64 {
        let number = 10_000 + usize::try_from(round % 50).unwrap();
        assert_eq!(one.with(|| length(number)).len(), number);
        let of = usize::try_from(round % 40).unwrap();
        if round % 7 == 0 {
            one.with(|| blocking::invalidate_tag(format!("drawn:{of}"))).unwrap();
            let value = one.with(|| drawn(of as u64));
            assert!(value > last[of]);
            last[of] = value;
        }
    }
    for (number, last) in last.iter().enumerate() {
        until("the latest value", || (other.with(|| drawn(number as u64)) >= *last).then_some(()));
    }
    let stats = server.command(&["INFO", "stats"]).text();
    assert!(!stats.contains("evicted_keys:0\r\n"), "something was evicted");
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    shares(&one, &other);
}

#[test]
fn c7_a_server_that_only_reads_is_done_without_until_it_writes() {
    let [primary, server] = [(); 2].map(|()| Server::start());
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    shares(&one, &other);
    server.command(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    until("it to follow", || {
        let role = server.command(&["INFO", "replication"]).text();
        role.contains("master_link_status:up").then_some(())
    });
    answers(&one);
    let error = one.with(|| blocking::invalidate_tag("refusals")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending);
    server.command(&["REPLICAOF", "NO", "ONE"]);
    shares(&one, &other);
    until("what waited to be delivered", || (one.stats().redis?.pending == 0).then_some(()));
}

/// A server with a user who may do everything but what a rule says.
fn limited(rule: &str) -> (Server, String) {
    let server = Server::start();
    allow(&server, &["reset", "on", ">secret", "~*", "&*", "+@all"]);
    allow(&server, &[rule]);
    let url = format!("redis://limited:secret@127.0.0.1:{}", server.port());
    (server, url)
}

fn allow(server: &Server, rules: &[&str]) {
    let words = ["ACL", "SETUSER", "limited"].iter().chain(rules).collect::<Vec<_>>();
    assert_eq!(server.command(&words), Reply::Status("OK".to_owned()), "{rules:?}");
}

/// Takes something from the user that the tier is.
fn does_without(rule: &str) {
    let (server, url) = limited("+@all");
    let [one, other] = [(); 2].map(|()| process(&url));
    shares(&one, &other);
    allow(&server, &[rule]);
    answers(&one);
    // One that starts now is told so at once.
    let late = Runtime::builder().redis(&url).build().unwrap();
    answers(&late);
    let computed: u64 = [&one, &late].iter().map(|it| it.with(length::stats).computations).sum();
    assert_eq!(computed, 40, "{rule}");
    allow(&server, &["+@all", "allkeys"]);
    shares(&one, &other);
    shares(&late, &other);
    assert_eq!(late.stats().redis.unwrap().breaker, Breaker::Closed);
}

#[test]
fn c7_a_user_who_may_not_set_does_without() {
    does_without("-set");
}

#[test]
fn c7_a_user_who_may_not_read_does_without() {
    does_without("-mget");
}

#[test]
fn c7_a_user_who_may_not_run_scripts_does_without() {
    does_without("-eval");
}

#[test]
fn c7_a_user_of_other_keys_does_without() {
    does_without("resetkeys");
}

#[test]
fn c7_a_user_who_may_do_nothing_does_without() {
    does_without("-@all");
}

#[test]
fn c7_a_user_who_may_not_ask_who_the_server_is_does_without() {
    #[cached(tier = "l1,l3", name = "refusals::info")]
    fn number() -> u64 {
        7
    }

    for rule in ["-info", "-time", "-client|tracking"] {
        let (server, url) = limited(rule);
        let runtime = patience(&url).build().unwrap();
        assert_eq!(runtime.with(number), 7);
        assert_eq!(runtime.stats().redis.unwrap().breaker, Breaker::Open, "{rule}");
        allow(&server, &["+@all"]);
        until("it to connect", || {
            (runtime.stats().redis?.breaker == Breaker::Closed).then_some(())
        });
    }
}

/// Who may take a lease and not give it up as it should.
#[test]
fn c7_a_user_who_may_not_run_scripts_keeps_nobody_waiting() {
    let (server, url) = limited("-eval");
    let one = patient(&url);
    let count = |command: &str| -> u64 {
        let stats = server.command(&["INFO", "commandstats"]).text();
        let name = format!("cmdstat_{command}:calls=");
        let calls = stats.lines().find_map(|it| it.strip_prefix(&name));
        calls.map_or(0, |it| it.split(',').next().unwrap().parse().unwrap())
    };
    let before = [count("mget"), count("unlink")];
    for call in 1..=10 {
        assert_eq!(one.with(|| length(3)).len(), 3);
        until("the lease to be given up", || (count("unlink") >= before[1] + call).then_some(()));
    }
    // One to look, one to capture versions, and now and then one to look again.
    let reads = count("mget") - before[0];
    assert!(reads <= 40, "looked {reads} times, as if somebody computed");
}
