//! C1, C3: what is read on an executor's own connection is as good as what is read elsewhere, and what
//! is made of it is told of.

use crate::limit::{LIMIT, until};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::support::{Calls, Gate, draw, patient, process};
use futures_lite::future::poll_once;
use larder::{Runtime, blocking, cached};
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::runtime;

#[cached(tier = "l3", name = "executors::plain", tags("executors:{id}", "executors"))]
async fn plain(id: u64) -> (u64, u64) {
    (id, draw())
}

/// In memory, and nowhere else.
#[cached(tier = "l1", name = "executors::around")]
async fn around(id: u64) -> (u64, u64) {
    plain(id).await
}

/// A process with an executor.
struct Process {
    runtime: Runtime,
    executor: runtime::Runtime,
}

impl Process {
    fn new(url: &str) -> Self {
        let mut executor = runtime::Builder::new_multi_thread();
        let executor = executor.worker_threads(2).enable_all().build().unwrap();
        Self { runtime: patient(url), executor }
    }

    /// One whose executor reads on a connection of its own.
    fn attached(url: &str, server: &Server) -> Self {
        let process = Self::new(url);
        process.run(async { larder::attach_executor() });
        process.await_reads(server);
        process
    }

    /// The same with the usual deadline.
    fn hasty(url: &str, server: &Server) -> Self {
        let hasty = Self { runtime: process(url), ..Self::new(url) };
        hasty.run(async { larder::attach_executor() });
        hasty.await_reads(server);
        hasty
    }

    fn run<F: Future>(&self, future: F) -> F::Output {
        let future = self.runtime.scope(future);
        let limited = async { tokio::time::timeout(LIMIT, future).await };
        self.executor.block_on(limited).expect("waited in vain for a call")
    }

    /// A value that the server has.
    fn stored(&self, id: u64) -> (u64, u64) {
        until("a value to be stored", || {
            let value = self.run(plain(id));
            (self.run(plain(id)) == value).then_some(value)
        })
    }

    fn await_reads(&self, server: &Server) {
        until("the executor to read on a connection of its own", || {
            self.run(plain(0));
            (!nears(server).is_empty()).then_some(())
        });
    }
}

/// The numbers of the connections that read and are told nothing.
fn nears(server: &Server) -> Vec<String> {
    let clients = server.command(&["CLIENT", "LIST"]).text();
    let nears = clients.lines().filter(|it| it.contains(" cmd=mget ") && it.contains(" flags=N "));
    let number = |line: &str| line.split_once("id=")?.1.split(' ').next().map(str::to_owned);
    nears.filter_map(number).collect()
}

/// How often it was read.
fn reads(server: &Server) -> u64 {
    let stats = server.command(&["INFO", "commandstats"]).text();
    let calls = stats.split_once("cmdstat_mget:calls=").unwrap().1.split(',').next();
    calls.unwrap().parse().unwrap()
}

#[test]
fn a_read_on_it_is_one_trip_and_finds_what_others_stored() {
    let server = Server::start();
    let (one, other) = (Process::new(&server.url()), Process::attached(&server.url(), &server));
    let stored = one.stored(1);
    let reads = || reads(&server);
    let hits = || other.runtime.with(plain::stats).hits_l3;
    // Unless the machine has no time for it, and it is asked for elsewhere.
    until("ten hits to make ten trips", || {
        let before = (reads(), hits());
        for _ in 0..10 {
            assert_eq!(other.run(plain(1)), stored);
        }
        ((reads(), hits()) == (before.0 + 10, before.1 + 10)).then_some(())
    });
}

#[test]
fn many_calls_at_once_share_trips_and_each_gets_its_own() {
    let server = Server::start();
    let process = Process::attached(&server.url(), &server);
    let values: Vec<_> = (0..200).map(|id| process.stored(id)).collect();
    let before = process.runtime.with(plain::stats).hits_l3;
    let calls = values.iter().map(|(id, _)| {
        let call = process.runtime.scope(plain(*id));
        process.executor.spawn(call)
    });
    let calls: Vec<_> = calls.collect();
    for (call, value) in calls.into_iter().zip(&values) {
        assert_eq!(process.run(call).unwrap(), *value);
    }
    assert_eq!(process.runtime.with(plain::stats).hits_l3 - before, 200);
}

#[test]
fn c3_what_another_process_invalidated_is_not_read_on_it() {
    let server = Server::start();
    let (one, other) = (Process::new(&server.url()), Process::attached(&server.url(), &server));
    let invalidate: [fn(); 4] = [
        || blocking::invalidate_tag("executors:2").unwrap(),
        || blocking::invalidate_tagged_with_all(["executors:2", "executors"]).unwrap(),
        || blocking::invalidate_function("executors::plain").unwrap(),
        || blocking::invalidate_all().unwrap(),
    ];
    for invalidate in invalidate {
        let before = other.run(plain(2));
        assert_eq!(other.run(plain(2)), before);
        one.runtime.with(invalidate);
        assert_ne!(other.run(plain(2)), before);
    }
}

#[test]
fn c3_what_is_made_of_it_is_told_of_its_end() {
    let server = Server::start();
    let (one, other) = (Process::new(&server.url()), Process::attached(&server.url(), &server));
    let before = one.run(plain(3));
    assert_eq!(other.run(plain(3)), before);
    assert_eq!(other.run(around(3)), before);
    one.runtime.with(|| blocking::invalidate_tag("executors:3")).unwrap();
    until("a copy to end", || (other.run(around(3)) != before).then_some(()));
}

#[test]
fn c3_who_makes_something_of_a_value_does_not_join_a_read_on_it() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let one = Process::new(&server.url());
    let other = Process::attached(&proxy.url(), &server);
    let before = one.run(plain(4));
    let asked = reads(&server);
    proxy.stall_to_client();
    let first = other.executor.spawn(other.runtime.scope(plain(4)));
    until("the first to ask", || (reads(&server) > asked).then_some(()));
    let second = other.executor.spawn(other.runtime.scope(around(4)));
    until("the second to ask", || (reads(&server) > asked + 1).then_some(()));
    proxy.flow();
    assert_eq!(other.run(first).unwrap(), before);
    assert_eq!(other.run(second).unwrap(), before);
    one.runtime.with(|| blocking::invalidate_tag("executors:4")).unwrap();
    until("a copy to end", || (other.run(around(4)) != before).then_some(()));
}

#[test]
fn c3_who_calls_after_a_read_was_sent_does_not_take_what_it_finds() {
    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let one = Process::new(&server.url());
    let attached = Process::attached(&proxy.url(), &server);
    for (id, other) in [(5, attached), (6, Process::new(&proxy.url()))] {
        let before = one.stored(id);
        assert_eq!(other.run(plain(id)), before);
        let asked = reads(&server);
        proxy.stall_to_client();
        let leader = other.executor.spawn(other.runtime.scope(plain(id)));
        until("the leader to ask", || (reads(&server) > asked).then_some(()));
        one.runtime.with(|| blocking::invalidate_tag(format!("executors:{id}"))).unwrap();
        let followers: Vec<_> =
            (0..3).map(|_| other.executor.spawn(other.runtime.scope(plain(id)))).collect();
        until("one of the followers to ask", || (reads(&server) > asked + 1).then_some(()));
        proxy.flow();
        assert_eq!(other.run(leader).unwrap(), before);
        let mut found = followers.into_iter().map(|it| other.run(it).unwrap());
        let after = found.next().unwrap();
        assert_ne!(after, before, "it had been invalidated before this was called");
        assert!(found.all(|it| it == after), "they are one computation");
    }
}

#[test]
fn f3_calls_that_find_nothing_on_it_are_one_computation() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l3", name = "executors::cold")]
    async fn cold(id: u64) -> u64 {
        CALLS.note();
        tokio::time::sleep(Duration::from_millis(20)).await;
        id
    }

    let server = Server::start();
    let process = Process::attached(&server.url(), &server);
    let calls = (0..100).map(|_| process.executor.spawn(process.runtime.scope(cold(1))));
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(process.run(call).unwrap(), 1);
    }
    assert_eq!(CALLS.taken(), 1);
    let stats = process.runtime.with(cold::stats);
    assert_eq!((stats.computations, stats.stores_l3), (1, 1));
    assert_eq!(stats.hits + stats.misses(), 100, "each call is a hit or a miss");
    assert_eq!(process.run(cold(1)), 1);
    assert_eq!(process.runtime.with(cold::stats).hits_l3, stats.hits_l3 + 1);
}

#[test]
fn c3_what_is_made_of_a_value_that_was_looked_for_in_vain_is_told_of_its_end() {
    static GATE: Gate = Gate::new();

    #[cached(tier = "l3", name = "executors::gated", tags("gated"))]
    async fn gated() -> u64 {
        GATE.pass();
        draw()
    }

    #[cached(tier = "l1", name = "executors::around_gated")]
    async fn around_gated() -> u64 {
        gated().await
    }

    #[cached(tier = "l1", name = "executors::beside_gated", tags("gated"))]
    fn beside_gated() -> u64 {
        draw()
    }

    let server = Server::start();
    let proxy = Proxy::to(server.port());
    let one = Process::new(&server.url());
    let other = Process::hasty(&proxy.url(), &server);
    let beside = || other.runtime.with(beside_gated);
    let first = beside();
    proxy.stall_to_client();
    let leader = other.executor.spawn(other.runtime.scope(gated()));
    GATE.await_arrivals(1);
    proxy.flow();
    let misses = || other.runtime.with(gated::stats).misses();
    // Who comes once the versions have been read once more is refused what was computed before.
    let was_after = beside() != first;
    let follower = other.executor.spawn(other.runtime.scope(around_gated()));
    until("the follower to wait", || (misses() == 2).then_some(()));
    let was_before = beside() == first;
    GATE.open();
    let found = other.run(leader).unwrap();
    let before = other.run(follower).unwrap();
    assert!(before == found || !was_before, "it was called in time, and given {before}");
    assert!(before != found || !was_after, "what was computed until then had been invalidated");
    one.runtime.with(|| blocking::invalidate_tag("gated")).unwrap();
    until("a copy to end", || (other.run(around_gated()) != before).then_some(()));
}

#[test]
fn many_calls_for_one_key_are_hits_at_once() {
    let server = Server::start();
    for process in [Process::new(&server.url()), Process::attached(&server.url(), &server)] {
        let value = process.stored(7);
        let before = process.runtime.with(plain::stats);
        let calls = (0..200).map(|_| process.executor.spawn(process.runtime.scope(plain(7))));
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(process.run(call).unwrap(), value);
        }
        let after = process.runtime.with(plain::stats);
        assert_eq!(after.hits_l3 - before.hits_l3, 200);
        assert_eq!((after.misses(), after.refused_joins), (before.misses(), before.refused_joins));
    }
}

#[test]
fn c3_a_server_that_was_restarted_is_read_anew() {
    let server = Server::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let process = Process::attached(&server.url(), &server);
    let before = process.run(plain(5));
    server.kill();
    server.start_again();
    until("it to be computed anew", || (process.run(plain(5)) != before).then_some(()));
    process.await_reads(&server);
}

#[test]
fn c7_calls_go_on_without_it_and_it_comes_back() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l3", name = "executors::counted")]
    async fn counted() -> u64 {
        CALLS.note();
        draw()
    }

    let server = Server::start();
    let process = Process::attached(&server.url(), &server);
    let value = process.run(counted());
    for _ in 0..5 {
        let near = nears(&server).pop().expect("it reads");
        server.command(&["CLIENT", "KILL", "ID", &near]);
        for _ in 0..10 {
            assert_eq!(process.run(counted()), value);
        }
        process.await_reads(&server);
    }
    assert_eq!(CALLS.taken(), 1);
}

#[test]
fn c7_a_server_that_stalls_is_waited_for_no_longer_than_the_deadline() {
    let server = Server::start();
    let process = Process::hasty(&server.url(), &server);
    server.pause();
    let degraded = process.runtime.with(plain::stats).degraded;
    let calls = (10..14).map(|id| process.executor.spawn(process.runtime.scope(plain(id))));
    for call in calls.collect::<Vec<_>>() {
        process.run(call).unwrap();
    }
    assert_eq!(process.runtime.with(plain::stats).degraded - degraded, 4);
    server.resume();
    process.await_reads(&server);
}

#[test]
fn c7_who_has_waited_in_vain_asks_nobody_else() {
    let server = Server::start();
    let process = Process::hasty(&server.url(), &server);
    let late = || process.runtime.stats().redis.expect("it is configured").late;
    server.pause();
    let before = late();
    assert_eq!(process.run(plain(20)).0, 20);
    assert_eq!(late() - before, 1, "one deadline was waited for");
    server.resume();
}

#[test]
fn c7_an_executor_that_stands_still_keeps_nobody() {
    let server = Server::start();
    let executor = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let process = Process { executor, runtime: process(&server.url()) };
    process.run(async { larder::attach_executor() });
    process.await_reads(&server);
    let (done, ended) = mpsc::channel();
    // More than go at once.
    for id in 30..34 {
        let (call, done) = (process.runtime.scope(plain(id)), done.clone());
        let executor = process.executor.handle().clone();
        thread::spawn(move || {
            let _inside = executor.enter();
            done.send(futures_lite::future::block_on(call)).expect("it is waited for");
        });
    }
    for _ in 30..34 {
        ended.recv_timeout(LIMIT).expect("waited in vain for a call to end");
    }
    assert_eq!(process.runtime.with(plain::stats).computations, 5);
}

#[test]
fn c7_who_called_and_does_not_look_after_it_holds_up_nobody() {
    let server = Server::start();
    let process = Process::hasty(&server.url(), &server);
    let degraded = || process.runtime.with(plain::stats).degraded;
    let before = degraded();
    process.run(async {
        let mut left = [40, 41].map(|id| Box::pin(plain(id)));
        for call in &mut left {
            assert_eq!(poll_once(call).await, None, "it waits for an answer");
        }
        for id in 42..46 {
            assert_eq!(plain(id).await.0, id);
        }
    });
    assert_eq!(degraded(), before, "each was answered in time");
}

#[test]
fn c7_a_plain_function_does_not_wait_for_the_executor_that_waits_for_it() {
    #[cached(tier = "l3", name = "executors::still")]
    fn still(id: u64) -> (u64, u64) {
        (id, draw())
    }

    let server = Server::start();
    let runtime = patient(&server.url());
    let mut several = runtime::Builder::new_multi_thread();
    several.worker_threads(1);
    for mut executor in [runtime::Builder::new_current_thread(), several] {
        let executor = executor.enable_all().build().unwrap();
        let process = Process { runtime: runtime.clone(), executor };
        process.run(async { larder::attach_executor() });
        process.await_reads(&server);
        let call = process.executor.spawn(process.runtime.scope(async { (still(1), still(1)) }));
        let (first, second) = process.run(call).unwrap();
        assert_eq!(first, second);
    }
}

#[test]
fn it_ends_with_its_executor_and_with_its_runtime() {
    let server = Server::start();
    let Process { runtime, executor } = Process::attached(&server.url(), &server);
    executor.shutdown_timeout(Duration::from_secs(5));
    until("its connection to be closed", || nears(&server).is_empty().then_some(()));
    let again = Process { runtime, ..Process::new(&server.url()) };
    again.run(async { larder::attach_executor() });
    again.await_reads(&server);
    let Process { runtime, executor } = again;
    drop(runtime);
    until("its connection to be closed", || nears(&server).is_empty().then_some(()));
    drop(executor);
}

#[test]
fn an_executor_without_io_or_timers_is_told_so() {
    let server = Server::start();
    let runtime = patient(&server.url());
    let attach = || runtime.with(larder::attach_executor);
    let is_refused = |executor: Option<runtime::Runtime>| {
        let attach = || match &executor {
            Some(executor) => executor.block_on(async { attach() }),
            None => attach(),
        };
        catch_unwind(AssertUnwindSafe(attach)).is_err()
    };
    let builder = runtime::Builder::new_current_thread;
    assert!(is_refused(None));
    assert!(is_refused(Some(builder().build().unwrap())));
    assert!(is_refused(Some(builder().enable_time().build().unwrap())));
    assert!(is_refused(Some(builder().enable_io().build().unwrap())));
    assert!(!is_refused(Some(builder().enable_all().build().unwrap())));
}

#[test]
fn a_batch_is_asked_for_in_one_trip() {
    #[cached(batch = ids, tier = "l3", tags("executors:{id}"), name = "executors::many")]
    async fn many(ids: &[u64]) -> HashMap<u64, (u64, u64)> {
        ids.iter().map(|id| (*id, (*id, draw()))).collect()
    }

    let server = Server::start();
    let ids: Vec<u64> = (0..100).collect();
    let attached = Process::attached(&server.url(), &server);
    for process in [attached, Process::new(&server.url())] {
        let stored = process.run(many(&ids));
        let before = reads(&server);
        assert_eq!(process.run(many(&ids)), stored);
        assert_eq!(reads(&server) - before, 1);
        process.run(larder::invalidate_tag("executors:7")).unwrap();
        let before = reads(&server);
        let found = process.run(many(&ids));
        assert_eq!(found.iter().filter(|(id, value)| stored[id] != **value).count(), 1);
        assert!(reads(&server) - before <= 3, "to look, to claim, and to look once more");
    }
}

#[test]
fn c6_of_a_batch_each_id_gets_its_own_where_there_are_more_than_go_at_once() {
    #[cached(batch = ids, tier = "l3", tags("executors:{id}"), name = "executors::very_many")]
    async fn very_many(ids: Vec<u64>) -> HashMap<u64, u64> {
        ids.into_iter().map(|id| (id, 7 * id)).collect()
    }

    let server = Server::start();
    let process = Process::attached(&server.url(), &server);
    let ids: Vec<u64> = (0..2_000).collect();
    process.run(very_many(ids.clone()));
    let damaged = crate::support::keys(&server, "larder:*:v:*");
    server.command(&["SET", &damaged[0], "something else"]);
    let before = reads(&server);
    let found = process.run(very_many(ids.clone()));
    assert!(ids.iter().all(|id| found[id] == 7 * id), "{found:?}");
    assert!(reads(&server) - before < 20);
    let stats = process.runtime.with(very_many::stats);
    assert_eq!((stats.hits_l3, stats.computations), (1_999, 2_001));
}
