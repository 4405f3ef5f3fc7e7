//! F2, F3: of all processes one computes, and nobody waits for one that can't.

use crate::client::Reply;
use crate::limit::until;
use crate::server::Server;
use crate::support::{Gate, draw, keys, patient};
use larder::{Runtime, blocking, cached};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use tokio::sync::Semaphore;

fn processes<const COUNT: usize>(server: &Server) -> [Runtime; COUNT] {
    [(); COUNT].map(|()| patient(&server.url()))
}

fn call(runtime: &Runtime, f: fn() -> u64) -> JoinHandle<u64> {
    let runtime = runtime.clone();
    thread::spawn(move || runtime.with(f))
}

#[test]
fn f3_many_threads_of_many_processes_compute_once() {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    const THREADS: usize = 25;

    #[cached(tier = "l1,l3", name = "single_flight::threads", wait = "10m")]
    fn slow() -> u64 {
        until("all threads to call", || (BEGUN.load(SeqCst) == 4 * THREADS).then_some(()));
        draw()
    }

    let server = Server::start();
    let processes = processes::<4>(&server);
    let calls = processes.iter().cycle().take(4 * THREADS).cloned().map(|runtime| {
        thread::spawn(move || {
            BEGUN.fetch_add(1, SeqCst);
            runtime.with(slow)
        })
    });
    let calls: Vec<_> = calls.collect();
    let mut values: Vec<_> = calls.into_iter().map(|it| it.join().unwrap()).collect();
    values.dedup();
    assert_eq!(values.len(), 1);
    let computed: u64 = processes.iter().map(|it| it.with(slow::stats).computations).sum();
    assert_eq!(computed, 1);
}

#[test]
fn f3_a_thousand_tasks_of_many_processes_compute_once() {
    static GATE: Semaphore = Semaphore::const_new(0);
    const TASKS: usize = 1_000;

    #[cached(tier = "l1,l3", name = "single_flight::tasks", wait = "10m")]
    async fn slow() -> u64 {
        GATE.acquire().await.unwrap().forget();
        draw()
    }

    let server = Server::start();
    let processes = processes::<4>(&server);
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let calls = processes.iter().cycle().take(TASKS).cloned().map(|runtime| {
        let begun = Arc::clone(&begun);
        executor.spawn(async move {
            begun.fetch_add(1, SeqCst);
            runtime.scope(slow()).await
        })
    });
    let calls: Vec<_> = calls.collect();
    until("all tasks to call", || (begun.load(SeqCst) == TASKS).then_some(()));
    GATE.add_permits(1);
    let values = calls.into_iter().map(|it| executor.block_on(it).unwrap());
    let mut values: Vec<_> = values.collect();
    values.dedup();
    assert_eq!(values.len(), 1);
    let computed: u64 = processes.iter().map(|it| it.with(slow::stats).computations).sum();
    assert_eq!(computed, 1);
}

/// Has leases last for ever unless they are given up, or renewed.
fn persist_leases(server: &Server) {
    for lease in keys(server, "larder:*:l:*") {
        server.command(&["PERSIST", &lease]);
    }
}

#[test]
fn f3_a_leader_that_panics_is_followed_by_another() {
    static GATE: Gate = Gate::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(tier = "l1,l3", name = "single_flight::panics", wait = "10m")]
    fn slow() -> u64 {
        if IS_FIRST.swap(false, SeqCst) {
            GATE.pass();
            panic!("on purpose");
        }
        draw()
    }

    let server = Server::start();
    let [one, other] = processes(&server);
    let leader =
        thread::spawn(move || catch_unwind(AssertUnwindSafe(|| one.with(slow))).map_err(drop));
    GATE.await_arrivals(1);
    let follower = call(&other, slow);
    until("it to wait", || (other.with(slow::stats).misses() == 1).then_some(()));
    persist_leases(&server);
    GATE.open();
    assert_eq!(leader.join().unwrap(), Err(()));
    follower.join().unwrap();
    let stats = other.with(slow::stats);
    assert_eq!((stats.computations, stats.stores_l3), (1, 1));
}

#[test]
fn f3_a_leader_that_is_dropped_is_followed_by_another() {
    static IS_FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(tier = "l1,l3", name = "single_flight::dropped", wait = "10m")]
    async fn slow() -> u64 {
        if IS_FIRST.swap(false, SeqCst) {
            std::future::pending::<()>().await;
        }
        draw()
    }

    let server = Server::start();
    let [one, other] = processes(&server);
    let follower = {
        let mut leader = pin!(one.scope(slow()));
        futures_lite::future::block_on(poll_fn(|task| {
            assert!(leader.as_mut().poll(task).is_pending());
            if IS_FIRST.load(SeqCst) { Poll::Pending } else { Poll::Ready(()) }
        }));
        let other = other.clone();
        let follower = thread::spawn(move || futures_lite::future::block_on(other.scope(slow())));
        persist_leases(&server);
        follower
    };
    follower.join().unwrap();
    let stats = other.with(slow::stats);
    assert_eq!((stats.computations, stats.stores_l3), (1, 1));
}

/// Has a leader overtaken elsewhere. Who waits for it, and who comes then, computes while it is still
/// at it.
fn is_left_behind(gate: &'static Gate, slow: fn() -> u64, invalidate: fn()) {
    let server = Server::start();
    let [one, other, third] = processes(&server);
    let leader = call(&one, slow);
    gate.await_arrivals(1);
    let waiting = call(&other, slow);
    until("a lease", || (!keys(&server, "larder:*:l:*").is_empty()).then_some(()));
    third.with(invalidate);
    let value = third.with(slow);
    assert_eq!(waiting.join().unwrap(), value);
    assert_eq!(one.with(slow), value, "its own process does not wait either");
    gate.open();
    assert!(leader.join().unwrap() < value);
    let [fourth] = processes(&server);
    for runtime in [&one, &other, &third, &fourth] {
        assert_eq!(runtime.with(slow), value);
    }
}

#[test]
fn f3_nobody_waits_for_a_leader_whose_tag_was_invalidated() {
    static GATE: Gate = Gate::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(tier = "l1,l3", name = "single_flight::tag", wait = "10m", tags("left behind"))]
    fn slow() -> u64 {
        let drawn = draw();
        if IS_FIRST.swap(false, SeqCst) {
            GATE.pass();
        }
        drawn
    }

    is_left_behind(&GATE, slow, || blocking::invalidate_tag("left behind").unwrap());
}

#[test]
fn f3_nobody_waits_for_a_leader_whose_key_was_invalidated() {
    static GATE: Gate = Gate::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(tier = "l1,l3", name = "single_flight::key", wait = "10m")]
    fn slow() -> u64 {
        let drawn = draw();
        if IS_FIRST.swap(false, SeqCst) {
            GATE.pass();
        }
        drawn
    }

    is_left_behind(&GATE, slow, || slow::invalidate().unwrap());
}

#[test]
fn nobody_waits_for_another_process_for_longer_than_said() {
    static GATE: Gate = Gate::new();
    static IS_FIRST: AtomicBool = AtomicBool::new(true);

    #[cached(tier = "l1,l3", name = "single_flight::wait", wait = "200ms")]
    fn slow() -> u64 {
        if IS_FIRST.swap(false, SeqCst) {
            GATE.pass();
        }
        draw()
    }

    let server = Server::start();
    let [one, other] = processes(&server);
    let leader = call(&one, slow);
    GATE.await_arrivals(1);
    let value = other.with(slow);
    assert_eq!(other.with(slow::stats).stores_l3, 0, "the right to store is the leader's");
    GATE.open();
    let led = leader.join().unwrap();
    assert!(led > value);
    assert_eq!(other.with(slow), led);
}

#[test]
fn f2_functions_that_call_each_other_in_two_processes_do_not_wait_for_each_other() {
    static BOTH: Barrier = Barrier::new(2);
    static BEGUN: Semaphore = Semaphore::const_new(2);

    fn meet() {
        // The first two, one in each process, have both begun before they go on.
        if let Ok(permit) = BEGUN.try_acquire() {
            permit.forget();
            BOTH.wait();
        }
    }

    #[cached(tier = "l1,l3", name = "single_flight::ping", wait = "10m", skip(depth))]
    fn ping(depth: u64) -> u64 {
        meet();
        if depth == 0 { 0 } else { pong(depth - 1) + 1 }
    }

    #[cached(tier = "l1,l3", name = "single_flight::pong", wait = "10m", skip(depth))]
    fn pong(depth: u64) -> u64 {
        meet();
        if depth == 0 { 0 } else { ping(depth - 1) + 1 }
    }

    let server = Server::start();
    let [one, other] = processes(&server);
    let calls = [call(&one, || ping(3)), call(&other, || pong(3))];
    for call in calls {
        assert_eq!(call.join().unwrap(), 3);
    }
}

/// A lease is renewed again and again: who has looked at the value and waits for nobody is told of the
/// value alone.
#[test]
fn f3_a_lease_is_heard_of_by_nobody_who_does_not_wait_for_it() {
    static GATE: Gate = Gate::new();

    #[cached(tier = "l1,l3", name = "single_flight::renewed")]
    fn slow(number: u64) -> u64 {
        if number == 1 {
            GATE.pass();
        }
        number
    }

    let server = Server::start();
    let [one, other] = processes(&server);
    // So that all that it depends on has a version by then but its key, which is asked for below.
    assert_eq!(one.with(|| slow(0)), 0);
    assert_eq!(other.with(|| slow::peek(1)), None);
    let changes = || other.stats().redis.unwrap().changes;
    let before = changes();
    let computed = {
        let one = one.clone();
        thread::spawn(move || one.with(|| slow(1)))
    };
    GATE.await_arrivals(1);
    let lease = keys(&server, "larder:larder:l:*").pop().unwrap();
    let left = || server.command(&["PTTL", &lease]);
    let (mut last, mut renewals) = (i64::MAX, 0);
    until("it to be renewed several times", || {
        let Reply::Int(now) = left() else { panic!("it has a time to live") };
        renewals += u64::from(now > last);
        last = now;
        (renewals >= 4).then_some(())
    });
    GATE.open();
    assert_eq!(computed.join().unwrap(), 1);
    assert_eq!(until("the value to be there", || other.with(|| slow::peek(1))), 1);
    assert_eq!(changes() - before, 2, "the version of its key, and the value");
}
