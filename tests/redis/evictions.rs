//! C3 on a server that evicts: it tells nobody of what it removed to make room for that one's own
//! command.

use crate::limit::until;
use crate::server::Server;
use crate::support::{connected, draw, keys, patience, patient};
use larder::{Runtime, blocking, cached};

#[cached(tier = "l1,l3", name = "evictions::drawn", tags("evictions:{number}"))]
fn drawn(number: u64) -> u64 {
    let _ = number;
    draw()
}

#[cached(tier = "l3", name = "evictions::long")]
fn long(number: u64) -> String {
    format!("{number:10000}")
}

const COUNT: u64 = 30;

fn all(runtime: &Runtime) -> Vec<u64> {
    runtime.with(|| (0..COUNT).map(drawn).collect())
}

fn used(server: &Server) -> u64 {
    let used = server.command(&["INFO", "memory"]).text();
    let used = used.lines().find_map(|it| it.strip_prefix("used_memory:")).unwrap();
    used.trim().parse().unwrap()
}

#[test]
fn c3_what_was_evicted_for_the_sake_of_its_own_commands_is_not_served_beyond_the_bound() {
    let server = Server::with(&["--maxmemory-policy", "allkeys-random"]);
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let before = all(&one);
    let known = keys(&server, "larder:*:t:*").len();
    let limit = used(&server) + (1 << 18);
    server.command(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    let mut round = 0..;
    until("many versions to be evicted", || {
        one.with(|| round.by_ref().take(100).for_each(|number| drop(long(number))));
        (keys(&server, "larder:*:t:*").len() < known / 2).then_some(())
    });
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    other.with(|| {
        (0..COUNT).for_each(|it| blocking::invalidate_tag(format!("evictions:{it}")).unwrap());
    });
    until("everything to be forgotten", || {
        let now = all(&one);
        now.iter().zip(&before).all(|(now, before)| now > before).then_some(())
    });
}

#[test]
fn c3_a_ledger_that_is_another_without_a_word_ends_what_was_kept_under_the_last() {
    let server = Server::start();
    let one = connected(patience(&server.url()).build().unwrap());
    let before = until("a value in memory", || {
        let before = one.with(drawn::stats);
        let value = one.with(|| drawn(0));
        let after = one.with(drawn::stats);
        (after.hits > before.hits && after.hits_l3 == before.hits_l3).then_some(value)
    });
    server.command(&["SWAPDB", "0", "1"]);
    assert_eq!(one.with(|| drawn(0)), before, "nobody is told of that");
    one.with(|| drawn(1));
    assert!(one.with(|| drawn(0)) > before);
}
