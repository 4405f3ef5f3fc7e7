//! C3: what is invalidated, by whatever and whomever, is dropped by every process, and nothing else is.

use crate::client::Reply;
use crate::limit::until;
use crate::server::Server;
use crate::support::{Gate, connected, draw, keys, patience, patient};
use larder::{Error, Runtime, blocking, cached};
use std::thread;

#[cached(
    tier = "l1,l3",
    name = "coherence::drawn",
    key = "coherence:{name}:{kind}",
    tags("name:{name}", "kind:{kind}")
)]
fn drawn(name: &str, kind: &str) -> u64 {
    let _ = (name, kind);
    draw()
}

const CALLS: [(&str, &str); 3] = [("a", "red"), ("b", "red"), ("c", "blue")];

fn all(runtime: &Runtime) -> [u64; 3] {
    runtime.with(|| CALLS.map(|(name, kind)| drawn(name, kind)))
}

/// What a runtime serves out of its own memory.
fn held(runtime: &Runtime) -> [u64; 3] {
    until("everything to be in memory", || {
        let before = runtime.with(drawn::stats);
        let held = all(runtime);
        let after = runtime.with(drawn::stats);
        (after.hits - after.hits_l3 == before.hits - before.hits_l3 + 3).then_some(held)
    })
}

/// Two processes with the same values in memory.
fn pair(server: &Server) -> ([Runtime; 2], [u64; 3]) {
    let pair = [(); 2].map(|()| patient(&server.url()));
    let held = pair.each_ref().map(held);
    assert_eq!(held[0], held[1]);
    (pair, held[0])
}

/// Sees that an invalidation reaches both processes, and only the values at these places.
fn reaches(invalidate: impl Fn() -> Result<(), Error>, places: &[usize]) {
    let server = Server::start();
    let ([one, other], before) = pair(&server);
    one.with(&invalidate).unwrap();
    let after = all(&one);
    for place in 0..CALLS.len() {
        assert_eq!(before[place] != after[place], places.contains(&place), "{:?}", CALLS[place]);
    }
    until("the other process to hear of it", || (all(&other) == after).then_some(()));
    assert_eq!(other.with(drawn::stats).computations, 0);
}

#[test]
fn c3_an_invalidation_by_key_is_heard() {
    reaches(|| drawn::invalidate("b", "red"), &[1]);
}

#[test]
fn c3_an_invalidation_by_tag_is_heard() {
    reaches(|| blocking::invalidate_tag("kind:red"), &[0, 1]);
}

#[test]
fn c3_an_invalidation_by_any_of_several_tags_is_heard() {
    reaches(|| blocking::invalidate_tags(["name:a", "kind:blue"]), &[0, 2]);
}

#[test]
fn c3_an_invalidation_by_all_of_several_tags_is_heard() {
    reaches(|| blocking::invalidate_tagged_with_all(["name:a", "kind:red"]), &[0]);
    reaches(|| blocking::invalidate_tagged_with_all(["name:a", "kind:blue"]), &[]);
}

#[test]
fn c3_an_invalidation_by_pattern_is_heard() {
    reaches(|| blocking::invalidate_pattern("coherence:?:red"), &[0, 1]);
    reaches(|| blocking::invalidate_pattern("coherence:red:*"), &[]);
}

#[test]
fn c3_an_invalidation_of_a_function_is_heard() {
    reaches(drawn::invalidate_all, &[0, 1, 2]);
    reaches(|| blocking::invalidate_function("coherence::drawn"), &[0, 1, 2]);
}

#[test]
fn c3_an_invalidation_of_everything_is_heard() {
    reaches(blocking::invalidate_all, &[0, 1, 2]);
}

/// The server forgets who has read what is written, whoever writes it.
#[test]
fn c3_who_invalidated_by_pattern_still_hears_of_patterns() {
    let long = format!("{}*", "x".repeat(5_000));
    for mine in ["nothing:*", &long] {
        let server = Server::start();
        let ([one, other], before) = pair(&server);
        one.with(|| blocking::invalidate_pattern(mine)).unwrap();
        other.with(|| blocking::invalidate_pattern("coherence:a:*")).unwrap();
        until("the other's pattern to be heard", || (all(&one)[0] != before[0]).then_some(()));
        assert_eq!(all(&one)[0], all(&other)[0]);
    }
}

#[test]
fn c3_a_pattern_is_heard_after_more_than_are_remembered() {
    let server = Server::start();
    let ([one, other], before) = pair(&server);
    for number in 0..100 {
        one.with(|| blocking::invalidate_pattern(format!("{number}:*"))).unwrap();
    }
    one.with(|| blocking::invalidate_pattern("coherence:c:*")).unwrap();
    until("it to be heard", || (all(&other)[2] != before[2]).then_some(()));
    assert_eq!(all(&one), all(&other));
}

#[test]
fn what_others_keep_on_the_server_is_left_alone() {
    let server = Server::start();
    server.command(&["SET", "larder", "foreign"]);
    server.command(&["SET", "larder:larder", "foreign"]);
    let apart = |namespace: &str| {
        let runtime = connected(patience(&server.url()).namespace(namespace).build().unwrap());
        (held(&runtime), runtime)
    };
    let names = ["larder2", "larde", "larder.t", "larder-v"];
    let others = names.map(apart);
    let (_, one) = apart("larder");
    one.with(|| blocking::invalidate_tag("kind:red")).unwrap();
    one.with(|| blocking::invalidate_pattern("*")).unwrap();
    one.with(blocking::invalidate_all).unwrap();
    for ((before, runtime), name) in others.iter().zip(names) {
        assert_eq!(all(runtime), *before);
        // Nor has anything been removed from the server.
        let (after, fresh) = apart(name);
        assert_eq!((after, fresh.with(drawn::stats).computations), (*before, 0), "{name}");
    }
    for key in ["larder", "larder:larder"] {
        assert_eq!(server.command(&["GET", key]), Reply::bytes("foreign"));
    }
}

/// Sees that every process hears of what an operator does to each key that matches, in turn: also
/// who wrote it, and again when it has been written anew.
fn reaches_all(glob: &str, command: impl Fn(&str) -> Vec<&str>) {
    let server = Server::start();
    let ([one, other], _) = pair(&server);
    let found = keys(&server, glob);
    assert!(!found.is_empty(), "nothing is called {glob}");
    for key in found.iter().chain(&found) {
        let before = held(&one);
        assert_eq!(held(&other), before);
        server.command(&command(key));
        until("everyone to hear of the operator", || {
            let after = [all(&one), all(&other)];
            (after[0] != before && after[0] == after[1]).then_some(())
        });
    }
}

#[test]
fn c3_an_operator_who_deletes_a_value_is_heard() {
    reaches_all("larder:larder:v:*", |key| vec!["DEL", key]);
}

#[test]
fn c3_an_operator_who_deletes_a_version_is_heard() {
    reaches_all("larder:larder:t:*", |key| vec!["DEL", key]);
}

#[test]
fn c3_an_operator_who_deletes_the_ledger_is_heard() {
    reaches_all("larder:larder:{ledger}", |key| vec!["UNLINK", key]);
}

#[test]
fn c3_an_operator_who_overwrites_a_value_or_moves_a_version_is_heard() {
    reaches_all("larder:larder:v:*", |key| vec!["SET", key, "foreign"]);
    reaches_all("larder:larder:v:*", |key| vec!["APPEND", key, "more"]);
    reaches_all("larder:larder:t:*", |key| vec!["RENAME", key, "foreign"]);
}

#[test]
fn c3_an_operator_who_lets_keys_expire_is_heard() {
    reaches_all("larder:larder:v:*", |key| vec!["PEXPIRE", key, "1"]);
    reaches_all("larder:larder:t:*", |key| vec!["PEXPIRE", key, "20"]);
}

#[test]
fn c3_an_operator_who_flushes_the_server_is_heard() {
    reaches_all("larder:larder:{ledger}", |_| vec!["FLUSHDB"]);
    reaches_all("larder:larder:{ledger}", |_| vec!["FLUSHALL", "ASYNC"]);
}

/// Has a tag invalidated while a value is computed, by that process or another.
fn overtakes(is_elsewhere: bool, gate: &'static Gate, slow: fn() -> u64) {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let leader = {
        let one = one.clone();
        thread::spawn(move || one.with(slow))
    };
    gate.await_arrivals(1);
    let invalidating = if is_elsewhere { &other } else { &one };
    invalidating.with(|| blocking::invalidate_tag("overtaken")).unwrap();
    gate.open();
    let old = leader.join().unwrap();
    let fresh = patient(&server.url());
    for runtime in [&one, &other, &fresh, &one] {
        assert!(runtime.with(slow) > old);
    }
}

#[test]
fn c1_a_value_overtaken_by_an_invalidation_is_served_nowhere() {
    static GATE: Gate = Gate::new();

    #[cached(tier = "l1,l3", name = "coherence::overtaken_here", tags("overtaken"))]
    fn slow() -> u64 {
        let drawn = draw();
        GATE.pass();
        drawn
    }

    overtakes(false, &GATE, slow);
}

#[test]
fn c3_a_value_overtaken_by_an_invalidation_elsewhere_is_served_nowhere() {
    static GATE: Gate = Gate::new();

    #[cached(tier = "l1,l3", name = "coherence::overtaken_elsewhere", tags("overtaken"))]
    fn slow() -> u64 {
        let drawn = draw();
        GATE.pass();
        drawn
    }

    overtakes(true, &GATE, slow);
}
