//! A primary is lost, and another server takes its place, as sentinels say.

use crate::client::Reply;
use crate::limit::until;
use crate::sentinels::{Sentinels, role};
use crate::server::Server;
use crate::support::{Calls, connected, draw, keys, process};
use larder::{Runtime, blocking, cached};

static CALLS: Calls = Calls::new();

#[cached(tier = "l1,l3", name = "failover::double", tags("doubles"))]
fn double(number: u64) -> u64 {
    CALLS.note();
    number * 2
}

fn url(sentinels: &Sentinels) -> String {
    let ports = sentinels.sentinels().iter().map(|it| format!("127.0.0.1:{}", it.port()));
    format!("redis://{}?sentinel=main", ports.collect::<Vec<_>>().join(","))
}

#[test]
fn c3_another_primary_starts_cold_and_hears_of_what_is_invalidated() {
    let sentinels = Sentinels::start();
    let [one, other] = [(); 2].map(|()| process(&url(&sentinels)));
    let call = |runtime: &Runtime| runtime.with(|| double(4));
    assert_eq!((call(&one), call(&other), CALLS.taken()), (8, 8, 1));
    sentinels.kill_primary();
    sentinels.wait_for_failover();
    until("an invalidation reaches the new primary", || {
        one.with(|| blocking::invalidate_tag("another tag")).ok()
    });
    call(&one);
    assert_eq!(CALLS.taken(), 1, "what the lost primary had may have been invalidated");
    until("the other is connected as well", || {
        call(&other);
        other.with(|| blocking::invalidate_tag("another tag")).ok()
    });
    CALLS.taken();
    until("it to be acknowledged", || one.with(|| blocking::invalidate_tag("doubles")).ok());
    until("the other hears of it", || {
        call(&other);
        (CALLS.taken() > 0).then_some(())
    });
}

#[test]
fn what_shows_that_a_primary_still_is_one_is_written_in_the_namespace() {
    let sentinels = Sentinels::start();
    let runtime = Runtime::builder().redis(url(&sentinels)).namespace("own").build().unwrap();
    let runtime = connected(runtime);
    let server = primary(&sentinels);
    until("a heartbeat", || (!keys(server, "larder:own:heartbeat").is_empty()).then_some(()));
    assert_eq!(runtime.with(|| triple(5)), 15);
    let others = keys(server, "*").into_iter().filter(|key| !key.starts_with("larder:own:"));
    assert_eq!(others.collect::<Vec<_>>(), [""; 0]);
}

#[cached(tier = "l1,l3", name = "failover::triple")]
fn triple(number: u64) -> u64 {
    number * 3
}

#[test]
fn sentinels_that_ask_for_a_password_of_their_own_are_given_it() {
    let sentinels = Sentinels::start();
    for sentinel in sentinels.sentinels() {
        sentinel.command(&["ACL", "SETUSER", "watcher", "on", ">whispered", "~*", "&*", "+@all"]);
        // As `requirepass` has it.
        sentinel.command(&["ACL", "SETUSER", "default", "resetpass", ">spoken"]);
    }
    for said in
        ["sentinel_password=spoken", "sentinel_username=watcher&sentinel_password=whispered"]
    {
        process(&format!("{}&{said}", url(&sentinels)));
    }
    for said in ["", "&sentinel_password=whispered"] {
        let stranger = Runtime::builder().redis(format!("{}{said}", url(&sentinels))).build();
        let stranger = stranger.unwrap();
        until("it to be refused", || {
            (stranger.with(|| triple(1)) == 3 && stranger.with(triple::stats).degraded > 0)
                .then_some(())
        });
        assert_eq!(stranger.stats().redis.unwrap().connections, 0);
    }
}

#[cached(tier = "l1,l3", name = "failover::drawn", tags("drawn"))]
fn drawn() -> u64 {
    draw()
}

fn primary(sentinels: &Sentinels) -> &Server {
    let port = sentinels.primary_port();
    sentinels.servers().iter().find(|it| it.port() == port).unwrap()
}

/// Whether a sentinel knows of a replica that is not to become the primary.
fn knows(sentinel: &Server) -> bool {
    let replicas = sentinel.command(&["SENTINEL", "REPLICAS", "main"]).array();
    replicas.into_iter().any(|replica| {
        let fields: Vec<_> = replica.array().into_iter().map(Reply::text).collect();
        fields.chunks(2).any(|it| it == ["slave-priority", "0"])
    })
}

/// What it had in its first time is still there: what was invalidated under the primary in between may
/// have been lost with that.
#[test]
fn c3_a_server_that_becomes_the_primary_again_starts_cold_as_well() {
    let sentinels = Sentinels::start();
    let first = primary(&sentinels);
    let one = process(&url(&sentinels));
    let before = one.with(drawn);
    let versions = keys(first, "larder:*:t:*");
    let versions = versions.into_iter().map(|key| (first.command(&["GET", &key]), key));
    let versions: Vec<_> = versions.collect();
    first.pause();
    sentinels.wait_for_failover();
    first.resume();
    until("it to follow its heir", || {
        let role = role(first)?;
        let follows = role[0] == Reply::bytes("slave") && role[3] == Reply::bytes("connected");
        follows.then_some(())
    });
    let one = connected(one);
    one.with(|| blocking::invalidate_tag("drawn")).unwrap();
    let second = primary(&sentinels);
    // Nobody else can become the primary.
    let is_third = |it: &&Server| it.port() != first.port() && it.port() != second.port();
    let third = sentinels.servers().iter().find(is_third).unwrap();
    third.command(&["CONFIG", "SET", "replica-priority", "0"]);
    until("the sentinels to know", || sentinels.sentinels().iter().all(knows).then_some(()));
    second.kill();
    sentinels.wait_for_failover();
    assert_eq!(sentinels.primary_port(), first.port());
    for (version, key) in versions {
        // As if it had not heard of it.
        let Reply::Bytes(version) = version else { panic!("{version:?}") };
        first.command(&[b"SET", key.as_bytes(), &version]);
    }
    let one = connected(one);
    assert!(one.with(drawn) > before);
}
