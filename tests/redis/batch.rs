//! `batch` with values in Redis: all ids are asked for together, and one process computes each.

use crate::server::Server;
use crate::support::{Gate, draw, keys, patient};
use larder::cached;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

#[test]
fn what_one_process_has_stored_another_takes_with_few_trips() {
    #[cached(batch = ids, tier = "l1,l3", tags("batch:{id}"), name = "batch::squares")]
    fn squares(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, draw())).collect()
    }

    let server = Server::start();
    let [one, other] = [(); 2].map(|()| patient(&server.url()));
    let ids: Vec<u64> = (0..100).collect();
    let stored = one.with(|| squares(&ids));
    assert_eq!(keys(&server, "larder:*:v:*").len(), 100);
    let reads = || {
        let stats = server.command(&["INFO", "stats"]).text();
        let line = stats.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before = reads();
    let taken = other.with(|| squares(&ids));
    let reads = reads() - before;
    assert_eq!(taken, stored);
    let stats = other.with(squares::stats);
    assert_eq!((stats.hits_l3, stats.computations), (100, 0));
    // With the question itself, and heartbeats.
    assert!(reads <= 10, "the server read {reads} times from its sockets for 100 ids");
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
