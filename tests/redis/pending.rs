//! C5: what can't be delivered takes effect here, waits, and is delivered.

use crate::limit::until;
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{connected, draw, patience, patient, process};
use larder::{Breaker, Error, ErrorKind, Level, Runtime, blocking, cached};

#[cached(
    tier = "l1,l3",
    name = "pending::drawn",
    key = "pending:{name}",
    tags("pending:{name}", "pending")
)]
fn drawn(name: &str) -> u64 {
    let _ = name;
    draw()
}

#[cached(tier = "l3", name = "pending::shared", key = "pending:{name}", tags("pending:{name}"))]
fn shared(name: &str) -> u64 {
    let _ = name;
    draw()
}

fn cut(proxy: &Proxy, runtime: &Runtime) {
    proxy.refuse();
    proxy.cut();
    until("the connection to be missed", || {
        (runtime.stats().redis?.breaker == Breaker::Open).then_some(())
    });
}

fn waiting(runtime: &Runtime) -> u64 {
    runtime.stats().redis.unwrap().pending
}

/// Has an invalidation be made while there is no connection.
fn waits(invalidate: impl Fn() -> Result<(), Error>) {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = (process(&proxy.url()), patient(&server.url()));
    let both = |runtime: &Runtime| runtime.with(|| ["a", "b"].map(drawn));
    let old = both(&other);
    until("the values to be shared", || (both(&one) == old).then_some(()));
    cut(&proxy, &one);
    let error = one.with(&invalidate).unwrap_err();
    assert_eq!((error.kind(), error.tier()), (ErrorKind::Pending, Some(Level::L3)));
    assert_eq!(waiting(&one), 1);
    let alone = both(&one);
    assert!(alone[0] > old[0], "it takes effect here");
    assert_eq!(both(&other), old, "nobody else has heard of it");
    proxy.admit();
    until("it to be delivered", || (both(&other)[0] > alone[0]).then_some(()));
    until("nothing to wait", || (waiting(&one) == 0).then_some(()));
    until("both to agree", || (both(&one) == both(&other)).then_some(()));
    assert_eq!(both(&other)[1], old[1], "the other value was not meant");
}

#[test]
fn c5_an_invalidation_by_tag_is_delivered_once_it_can_be() {
    waits(|| blocking::invalidate_tag("pending:a"));
}

#[test]
fn c5_an_invalidation_by_all_of_several_tags_is_delivered_once_it_can_be() {
    waits(|| blocking::invalidate_tagged_with_all(["pending:a", "pending"]));
}

#[test]
fn c5_an_invalidation_by_key_is_delivered_once_it_can_be() {
    waits(|| drawn::invalidate("a"));
}

#[test]
fn c5_an_invalidation_by_pattern_is_delivered_once_it_can_be() {
    waits(|| blocking::invalidate_pattern("pending:a"));
}

/// What is put where the server can't be reached is no less of an invalidation.
#[test]
fn c5_what_is_put_meanwhile_ends_what_was_there() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = (process(&proxy.url()), patient(&server.url()));
    let old = other.with(|| drawn("put"));
    cut(&proxy, &one);
    let put = draw();
    one.with(|| drawn::put("put", put));
    proxy.admit();
    until("it to be delivered", || (other.with(|| drawn("put")) > old).then_some(()));
    until("both to agree", || {
        (one.with(|| drawn("put")) == other.with(|| drawn("put"))).then_some(())
    });
}

#[test]
fn c5_an_invalidation_that_a_silent_server_may_have_heard_waits_as_well() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = (process(&proxy.url()), patient(&server.url()));
    let old = other.with(|| drawn("silent"));
    proxy.stall_to_server();
    let error = one.with(|| blocking::invalidate_tag("pending:silent")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending);
    assert!(one.with(|| drawn("silent")) > old);
    proxy.flow();
    until("it to be delivered", || (other.with(|| drawn("silent")) > old).then_some(()));
    until("nothing to wait", || (waiting(&one) == 0).then_some(()));
}

/// The way to the server is there, but what waits is refused.
#[test]
fn c5_what_waits_is_not_taken_from_the_server() {
    let server = Server::start();
    let (one, other) = (process(&server.url()), patient(&server.url()));
    let old = ["a", "b"].map(|name| other.with(|| shared(name)));
    until("the values to be shared", || {
        (["a", "b"].map(|name| one.with(|| shared(name))) == old).then_some(())
    });
    server.command(&["ACL", "SETUSER", "default", "-unlink"]);
    let error = one.with(|| blocking::invalidate_tag("pending:a")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending);
    for _ in 0..20 {
        assert!(one.with(|| shared("a")) > old[0]);
    }
    until("what is not meant to be taken", || {
        let before = one.with(shared::stats).hits_l3;
        let value = one.with(|| shared("b"));
        (one.with(shared::stats).hits_l3 > before && value == old[1]).then_some(())
    });
    assert_eq!(waiting(&one), 1);
    server.command(&["ACL", "SETUSER", "default", "+unlink"]);
    until("it to be delivered", || (other.with(|| shared("a")) > old[0]).then_some(()));
    until("nothing to wait", || (waiting(&one) == 0).then_some(()));
}

#[test]
fn c5_many_that_wait_become_one_of_everything() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let (one, other) = (process(&proxy.url()), patient(&server.url()));
    let old = other.with(|| drawn("unnamed"));
    cut(&proxy, &one);
    let mut most = 0;
    for number in 0..5_000 {
        one.with(|| blocking::invalidate_tag(format!("pending:{number}"))).unwrap_err();
        most = most.max(waiting(&one));
    }
    assert!(most < 4_200 && waiting(&one) < most, "{most} waited");
    proxy.admit();
    until("everything to be delivered", || (other.with(|| drawn("unnamed")) > old).then_some(()));
    until("nothing to wait", || (waiting(&one) == 0).then_some(()));
}

#[test]
fn c5_a_runtime_says_when_it_is_closed_that_something_waits() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let one = connected(patience(&proxy.url()).build().unwrap());
    let close = || futures_lite::future::block_on(one.close());
    close().unwrap();
    cut(&proxy, &one);
    one.with(|| blocking::invalidate_tag("pending")).unwrap_err();
    assert_eq!(close().unwrap_err().kind(), ErrorKind::Pending);
    proxy.admit();
    until("it to be delivered", || close().ok());
}
