//! C6, K5: what is read is what was stored, of the same function and shape, for as long as it lasts.

use crate::client::Reply;
use crate::limit::until;
use crate::server::Server;
use crate::support::{Calls, coarse, coarse_tick, draw, keys, patient};
use larder::{Runtime, blocking, cached};
use std::future::Future;
use std::time::{Duration, Instant};

mod first {
    #[larder::cached(tier = "l1,l3", name = "values::evolved")]
    pub(super) fn evolved(id: u64) -> (u64, String) {
        (id, "first".to_owned())
    }
}

mod second {
    #[larder::cached(tier = "l1,l3", name = "values::evolved")]
    pub(super) fn evolved(id: u64) -> (u64, Vec<u8>, bool) {
        (id, b"second".to_vec(), true)
    }
}

#[test]
fn k5_programs_whose_values_have_other_shapes_keep_apart_and_keep_theirs() {
    let server = Server::start();
    let [old, new, older, newer] = [(); 4].map(|()| patient(&server.url()));
    for _ in 0..10 {
        for id in 0..3 {
            for runtime in [&old, &older] {
                assert_eq!(runtime.with(|| first::evolved(id)), (id, "first".to_owned()));
            }
            for runtime in [&new, &newer] {
                let value = runtime.with(|| second::evolved(id));
                assert_eq!(value, (id, b"second".to_vec(), true));
            }
        }
    }
    for (runtime, stats) in [
        (&old, first::evolved::stats as fn() -> _),
        (&new, second::evolved::stats),
        (&older, first::evolved::stats),
        (&newer, second::evolved::stats),
    ] {
        let stats = runtime.with(stats);
        let is_first =
            std::ptr::eq(runtime, &raw const old) || std::ptr::eq(runtime, &raw const new);
        assert_eq!(stats.computations, if is_first { 3 } else { 0 });
    }
    // One name: who invalidates the key of one means that of the other.
    old.with(|| first::evolved::invalidate(1)).unwrap();
    until("both programs to hear of it", || {
        newer.with(|| second::evolved(1));
        (newer.with(second::evolved::stats).computations == 1).then_some(())
    });
}

#[test]
fn what_expires_does_so_in_every_tier() {
    #[cached(tier = "l1,l3", name = "values::short", ttl = "1s")]
    fn short() -> u64 {
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let begun = Instant::now();
    let value = one.with(short);
    let computed = coarse_tick();
    until("it to be taken late in its life", || {
        (begun.elapsed() > Duration::from_millis(700)).then_some(())
    });
    let taken = other.with(short);
    // It has its age with it.
    until("it to be over everywhere", || {
        let asked = coarse();
        let values = [one.with(short), other.with(short)];
        let is_over = asked > computed + Duration::from_secs(1);
        assert!(!is_over || values.iter().all(|it| *it > value.min(taken)), "{values:?}");
        is_over.then_some(())
    });
    let [left] = &keys(&server, "larder:*:v:*:*")[..] else { panic!("one value") };
    until("the server to be rid of it", || {
        (server.command(&["EXISTS", left]) == crate::client::Reply::Int(0)).then_some(())
    });
}

#[test]
fn an_error_is_kept_only_where_it_is_said_and_none_is_a_value() {
    #[cached(tier = "l1,l3", name = "values::fails")]
    fn fails() -> Result<u64, String> {
        Err(draw().to_string())
    }

    #[cached(tier = "l1,l3", name = "values::refuses", negative = "1h")]
    fn refuses() -> Result<u64, String> {
        Err(draw().to_string())
    }

    #[cached(tier = "l1,l3", name = "values::lacks")]
    fn lacks() -> Option<u64> {
        CALLS.note();
        None
    }

    static CALLS: Calls = Calls::new();
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    assert_ne!(one.with(fails), one.with(fails));
    assert_ne!(one.with(fails), other.with(fails));
    assert_eq!(one.with(fails::stats).stores_l3, 0);
    let refused = one.with(refuses);
    assert_eq!(other.with(refuses), refused);
    assert_eq!(other.with(refuses::stats).negative_hits, 1);
    for runtime in [&one, &other, &one] {
        assert_eq!(runtime.with(lacks), None);
    }
    assert_eq!(CALLS.taken(), 1);
}

#[test]
fn what_is_put_or_refreshed_is_what_everyone_gets() {
    #[cached(tier = "l1,l3", name = "values::current")]
    fn current(id: u64) -> u64 {
        let _ = id;
        draw()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let old = one.with(|| current(1));
    assert_eq!(other.with(|| current(1)), old);
    one.with(|| current::put(1, 7_000_000));
    assert_eq!(one.with(|| current(1)), 7_000_000);
    until("what was put to arrive", || (other.with(|| current(1)) == 7_000_000).then_some(()));
    let fresh = other.with(|| current::refresh(1));
    assert_eq!(other.with(|| current(1)), fresh);
    until("what was refreshed to arrive", || (one.with(|| current(1)) == fresh).then_some(()));
    let computed = |it: &larder::Runtime| it.with(current::stats).computations;
    assert_eq!((computed(&one), computed(&other)), (1, 1));
}

#[cached(tier = "l1,l3", name = "values::length")]
async fn length(text: &str) -> usize {
    text.len()
}

#[cached(tier = "l1,l3", name = "values::plain")]
fn plain(text: &str) -> usize {
    text.len()
}

fn on_tokio<R>(threads: usize, future: impl Future<Output = R>) -> R {
    let mut builder = if threads == 0 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    builder.worker_threads(threads.max(1)).build().unwrap().block_on(future)
}

/// Each executor is gone before the next begins.
#[test]
fn any_executor_will_do_and_several_one_after_the_other() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    for round in 0..4 {
        let text = "x".repeat(round);
        let call = |threads| on_tokio(threads, one.scope(length(&text)));
        assert_eq!([call(0), call(2)], [round, round]);
        assert_eq!(futures_lite::future::block_on(other.scope(length(&text))), round);
        let invalidate = larder::invalidate_function("values::length");
        on_tokio(0, one.scope(invalidate)).unwrap();
        assert_eq!(futures_lite::future::block_on(one.scope(length(&text))), round);
        on_tokio(1, other.scope(length::invalidate(&text))).unwrap();
    }
    let stats = one.with(length::stats);
    assert_eq!((stats.computations, stats.stores_l3, stats.degraded), (8, 8, 0));
    assert_eq!(other.with(length::stats).hits_l3, 4);
}

#[test]
fn plain_functions_may_be_called_inside_of_an_executor() {
    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    for threads in [0, 2] {
        let text = "y".repeat(threads);
        on_tokio(threads, async {
            assert_eq!(one.with(|| plain(&text)), threads);
            assert_eq!(other.with(|| plain(&text)), threads);
            one.with(|| plain::invalidate(&text)).unwrap();
            assert_eq!(one.with(|| plain(&text)), threads);
        });
    }
    let stats = one.with(plain::stats);
    assert_eq!((stats.stores_l3, stats.degraded), (4, 0));
}

#[test]
fn what_versions_and_ledger_take_on_the_server_is_shown() {
    #[cached(tier = "l3", name = "values::counted", tags("one", "{number}"))]
    fn counted(number: u64) -> u64 {
        number
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let shown = |runtime: &Runtime| runtime.stats().redis.unwrap();
    assert_eq!((shown(&one).versions_made, shown(&one).ledger_entries), (0, 0));
    one.with(|| counted(1));
    other.with(|| counted(1));
    one.with(|| counted(2));
    let versions = keys(&server, "larder:*:t:*").len() as u64;
    assert_eq!((shown(&one).versions_made, shown(&other).versions_made), (versions, 0));
    for number in 1..=70 {
        one.with(|| blocking::invalidate_pattern(format!("{number}"))).unwrap();
        other.with(|| counted(1));
        let told = shown(&other);
        let entries = server.command(&["LRANGE", "larder:larder:{ledger}:recent", "0", "-1"]);
        let entries: Vec<_> = entries.array();
        let bytes = |it: Reply| if let Reply::Bytes(it) = it { it.len() as u64 } else { 0 };
        assert_eq!(told.ledger_entries, entries.len() as u64);
        assert_eq!(told.ledger_bytes, entries.into_iter().map(bytes).sum::<u64>());
    }
    assert_eq!(shown(&other).ledger_entries, 70);
}

/// An operator may have a key stay: what it has says itself how long it may be served.
#[test]
fn c6_a_value_that_was_made_to_stay_is_not_served_beyond_its_time_to_live() {
    const TTL: Duration = Duration::from_secs(1);

    #[cached(tier = "l3", name = "values::persisted", ttl = "1s")]
    fn persisted() -> u64 {
        draw()
    }

    let server = Server::start();
    let runtime = patient(&server.url());
    let begun = Instant::now();
    let old = runtime.with(persisted);
    let stored = Instant::now();
    let key = keys(&server, "larder:*:v:*").pop().unwrap();
    let stays = server.command(&["PERSIST", &key]);
    assert!(stays == Reply::Int(1) || begun.elapsed() > TTL, "{stays:?}");
    until("its time to be over", || {
        let called = Instant::now();
        let value = runtime.with(persisted);
        assert!(value > old || called <= stored + TTL, "{:?} later", called - stored);
        (value > old).then_some(())
    });
    let why = runtime.with(persisted::stats).misses_expired;
    assert!(why > 0 || stays != Reply::Int(1));
}
