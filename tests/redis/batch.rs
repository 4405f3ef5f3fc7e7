//! `batch` with values in Redis: all ids are asked for together, and one process computes each.

use crate::cluster::Cluster;
use crate::server::Server;
use crate::support::{Gate, connected, draw, keys, patience, patient};
use larder::{Options, Runtime, cached};
use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Barrier, Mutex};
use std::thread;

#[test]
fn what_one_process_has_stored_another_takes_with_one_question() {
    #[cached(batch = ids, tier = "l1,l3", tags("batch:{id}"), name = "batch::squares")]
    fn squares(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, draw())).collect()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let ids: Vec<u64> = (0..100).collect();
    let stored = one.with(|| squares(&ids));
    assert_eq!(keys(&server, "larder:*:v:*").len(), 100);
    let before = questions(&server);
    assert_eq!(other.with(|| squares(&ids)), stored);
    assert_eq!(questions(&server) - before, 1);
    let stats = other.with(squares::stats);
    assert_eq!((stats.hits_l3, stats.computations), (100, 0));
    one.with(|| larder::blocking::invalidate_tag("batch:7")).unwrap();
    let now = one.with(|| squares(&ids));
    assert_eq!(now.iter().filter(|(id, value)| stored[id] != **value).count(), 1);
}

#[test]
fn f3_two_processes_whose_batches_overlap_compute_each_id_once_between_them() {
    static GATE: Gate = Gate::new();
    static WAITS: AtomicBool = AtomicBool::new(true);
    static BODIES: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());

    #[cached(batch = ids, tier = "l3", name = "batch::staged")]
    fn staged(ids: &[u64]) -> HashMap<u64, u64> {
        BODIES.lock().unwrap().push(ids.to_vec());
        if WAITS.swap(false, SeqCst) {
            GATE.pass();
        }
        ids.iter().map(|id| (*id, draw())).collect()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    thread::scope(|scope| {
        let first = scope.spawn(|| one.with(|| staged(&[1, 2, 3])));
        GATE.await_arrivals(1);
        let second = scope.spawn(|| other.with(|| staged(&[4, 3, 2])));
        crate::limit::until("the other to compute its own", || {
            (BODIES.lock().unwrap().len() == 2).then_some(())
        });
        GATE.open();
        let (first, second) = (first.join().unwrap(), second.join().unwrap());
        assert_eq!((first[&2], first[&3]), (second[&2], second[&3]));
    });
    assert_eq!(*BODIES.lock().unwrap(), [vec![1, 2, 3], vec![4]]);
    assert_eq!(other.with(staged::stats).joins_l3, 2);
}

#[test]
fn what_the_bodies_were_found_to_depend_on_is_asked_for_once_for_all() {
    #[cached(tier = "l3", name = "batch::factor")]
    fn factor() -> u64 {
        draw()
    }

    #[cached(batch = ids, tier = "l3", tags("multiple:{id}"), name = "batch::multiples")]
    fn multiples(ids: &[u64]) -> HashMap<u64, u64> {
        let factor = factor();
        ids.iter().map(|id| (*id, id * factor)).collect()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let ids: Vec<u64> = (0..300).collect();
    let stored = one.with(|| (multiples(&ids), multiples(&ids)).1);
    assert_eq!(one.with(multiples::stats).hits_l3, 300, "they are stored");
    let before = reads(&server);
    assert_eq!(other.with(|| multiples(&ids)), stored);
    let reads = reads(&server) - before;
    let stats = other.with(multiples::stats);
    assert_eq!((stats.hits_l3, stats.computations, stats.degraded), (300, 0, 0));
    // With the question itself, and heartbeats.
    assert!(reads <= 12, "the server read {reads} times from its sockets for 300 ids");
    one.with(factor::invalidate).unwrap();
    assert!(
        other.with(|| multiples(&ids)).iter().all(|(id, value)| *id == 0 || stored[id] != *value)
    );
}

#[test]
fn what_is_forced_of_a_batch_is_forgotten_at_once() {
    #[cached(batch = ids, tier = "l1,l3", name = "batch::forced")]
    fn forced(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, draw())).collect()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let ids: Vec<u64> = (0..100).collect();
    let stored = one.with(|| forced(&ids));
    assert_eq!(other.with(|| forced(&ids)), stored);
    let before = reads(&server);
    let anew = one.with(|| forced::with(Options::new().force(), &ids));
    let reads = reads(&server) - before;
    // With what is looked for and stored, and heartbeats: one by one it would be a hundred and more.
    assert!(reads <= 30, "the server read {reads} times from its sockets for 100 ids");
    assert!(anew.iter().all(|(id, value)| stored[id] != *value));
    assert_eq!(other.with(|| forced(&ids)), anew, "nobody has what was there before");
}

/// How often the server was asked for what it has.
fn questions(server: &Server) -> u64 {
    let said = server.command(&["INFO", "commandstats"]).text();
    let calls = said.lines().find_map(|line| line.strip_prefix("cmdstat_mget:calls="));
    calls.and_then(|it| it.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
}

/// How often the server has read from its sockets.
fn reads(server: &Server) -> u64 {
    let stats = server.command(&["INFO", "stats"]).text();
    let line = stats.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn in_a_cluster_each_server_is_asked_once_for_all_that_it_has() {
    #[cached(batch = ids, tier = "l3", tags("spread:{id}"), name = "batch::spread")]
    fn spread(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, draw())).collect()
    }

    let cluster = Cluster::start();
    let [one, other] = [(); 2].map(|()| patient(&cluster.url()));
    let ids: Vec<u64> = (0..100).collect();
    let stored = one.with(|| spread(&ids));
    assert_eq!(one.with(|| spread(&[7, 8])).len(), 2);
    let all_reads = || cluster.nodes().iter().map(reads).sum::<u64>();
    let before = all_reads();
    assert_eq!(other.with(|| spread(&ids)), stored);
    let reads = all_reads() - before;
    let stats = other.with(spread::stats);
    assert_eq!((stats.hits_l3, stats.computations), (100, 0));
    // With the questions themselves, what replicas hear, and heartbeats: one by one it would be hundreds.
    assert!(reads <= 80, "the servers read {reads} times from their sockets for 100 ids");
    one.with(|| larder::blocking::invalidate_tag("spread:7")).unwrap();
    let now = other.with(|| spread(&ids));
    assert_eq!(now.iter().filter(|(id, value)| stored[id] != **value).count(), 1);
}

#[test]
fn what_fails_of_a_batch_is_served_from_there_after_its_time_and_what_is_missing_is_remembered() {
    static FAILS: AtomicBool = AtomicBool::new(false);
    static ASKED: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());

    #[cached(batch = ids, tier = "l3", ttl = "1s", grace = "1h", negative = "10m", name = "batch::answers")]
    fn answers(ids: &[u64]) -> HashMap<u64, Result<u64, String>> {
        ASKED.lock().unwrap().push(ids.to_vec());
        let answer = |id: u64| match FAILS.load(SeqCst) {
            true if id != 2 => Err("on purpose".to_owned()),
            is_later => Ok(10 * id + u64::from(is_later)),
        };
        ids.iter().filter(|id| **id != 3).map(|id| (*id, answer(*id))).collect()
    }

    let server = Server::start();
    let hour = std::time::Duration::from_secs(3_600);
    let process = || connected(patience(&server.url()).backoff(hour, hour).build().unwrap());
    let [one, other] = [process(), process()];
    let all = |process: &Runtime| process.with(|| answers(&[1, 2, 3]));
    let first = HashMap::from([(1, Ok(10)), (2, Ok(20))]);
    assert_eq!(all(&one), first);
    crate::limit::until("the values to expire", || {
        one.with(|| answers::peek(&1)).is_none().then_some(())
    });
    FAILS.store(true, SeqCst);
    // The third is known not to be there, the first fails, and the second does not.
    let second = HashMap::from([(1, Ok(10)), (2, Ok(21))]);
    assert_eq!([all(&other), all(&other)], [second.clone(), second]);
    assert_eq!(*ASKED.lock().unwrap(), [vec![1, 2, 3], vec![1, 2]]);
    let stats = other.with(answers::stats);
    assert_eq!((stats.grace_hits, stats.failures), (2, 1));
}

#[test]
fn f3_batches_that_hold_what_each_other_wants_end_all_the_same() {
    const ROUNDS: u64 = 40;
    const IDS: u64 = 12;
    static COMPUTED: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    #[cached(batch = ids, tier = "l3", name = "batch::crossed")]
    fn crossed(ids: &[u64]) -> HashMap<u64, u64> {
        COMPUTED.lock().unwrap().extend(ids);
        thread::yield_now();
        ids.iter().map(|id| (*id, draw())).collect()
    }

    let server = Server::start();
    let processes = [(); 3].map(|()| patient(&server.url()));
    let start = Barrier::new(processes.len() + 1);
    for round in 0..ROUNDS {
        let first = round * IDS;
        let ids: Vec<u64> = (first..first + IDS).collect();
        // Some are held by another when the claims to all are taken.
        let (single, turned) = (vec![first + 5], ids.iter().rev().copied().collect());
        let orders: [Vec<u64>; 3] = [ids, turned, single];
        let found: Vec<HashMap<u64, u64>> = thread::scope(|scope| {
            let calls = processes.iter().zip(&orders).map(|(process, ids)| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    process.with(|| crossed(ids))
                })
            });
            let calls: Vec<_> = calls.collect();
            start.wait();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        assert_eq!(found[0], found[1]);
        assert_eq!(found[0][&(first + 5)], found[2][&(first + 5)]);
        let mut computed = mem::take(&mut *COMPUTED.lock().unwrap());
        computed.sort_unstable();
        assert_eq!(computed, (first..first + IDS).collect::<Vec<_>>(), "each is computed once");
    }
    let joins: u64 = processes.iter().map(|it| it.with(crossed::stats).joins_l3).sum();
    assert!(joins > 0, "they never met");
}
