//! `batch` with values on disk: each id is an entry there, and one process computes it.

use crate::support::{Calls, Machine, settle};
use larder::{Runtime, cached};
use std::collections::HashMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Barrier, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(28);

#[test]
fn what_one_process_has_stored_another_need_not_compute() {
    static CALLS: Calls = Calls::new();

    #[cached(batch = ids, tier = "l1,l2", tags("stored:{id}"))]
    fn squares(ids: &[u64]) -> HashMap<u64, u64> {
        for _ in ids {
            CALLS.note();
        }
        ids.iter().map(|id| (*id, id * id)).collect()
    }

    #[cached(batch_of = squares)]
    fn square(id: u64) -> Option<u64> {
        CALLS.note();
        Some(id * id)
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| squares(&[1, 2]));
    one.with(|| square(3));
    settle(&one);
    assert_eq!(CALLS.taken(), 3);
    let all = other.with(|| squares(&[1, 2, 3, 4]));
    assert_eq!((all.len(), CALLS.taken()), (4, 1));
    assert_eq!(other.with(squares::stats).hits_l2, 3);
    one.with(|| larder::blocking::invalidate_tag("stored:2")).unwrap();
    other.with(|| squares(&[1, 2, 3]));
    assert_eq!(CALLS.taken(), 1);
}

/// Says for which ids a body is in its middle, and has it go on.
struct Middle {
    arrive: Sender<Vec<u64>>,
    leave: Receiver<()>,
}

static MIDDLE: OnceLock<Mutex<Middle>> = OnceLock::new();

#[test]
fn f3_two_processes_whose_batches_overlap_compute_each_id_once_between_them() {
    #[cached(batch = ids, tier = "l1,l2")]
    fn staged(ids: &[u64]) -> HashMap<u64, u64> {
        let middle = MIDDLE.get().unwrap().lock().unwrap();
        middle.arrive.send(ids.to_vec()).unwrap();
        middle.leave.recv_timeout(LIMIT).expect("nobody has it go on");
        ids.iter().map(|id| (*id, id * id)).collect()
    }

    let ((arrive, arrived), (go, leave)) = (channel(), channel());
    assert!(MIDDLE.set(Mutex::new(Middle { arrive, leave })).is_ok());
    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let call = |process: &Runtime, ids: &'static [u64]| {
        let process = process.clone();
        thread::spawn(move || process.with(|| staged(ids)))
    };
    let first = call(&one, &[1, 2, 3]);
    assert_eq!(arrived.recv_timeout(LIMIT).expect("nobody computes"), [1, 2, 3]);
    let second = call(&other, &[4, 3, 2]);
    go.send(()).unwrap();
    assert_eq!(first.join().unwrap().len(), 3);
    assert_eq!(arrived.recv_timeout(LIMIT).expect("the other computes nothing"), [4]);
    go.send(()).unwrap();
    let second = second.join().unwrap();
    assert_eq!((second[&4], second[&3], second[&2]), (16, 9, 4));
    assert!(arrived.try_recv().is_err(), "something was computed twice");
}

#[test]
fn what_a_batch_looks_for_on_disk_is_looked_for_in_one_transaction() {
    /// What happens as one of the ids is looked for.
    static BETWEEN: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

    fn looked_for(id: u64) -> u64 {
        if id == 2
            && let Some(between) = BETWEEN.lock().unwrap().take()
        {
            between();
        }
        id
    }

    #[cached(batch = ids, tier = "l2", key(looked_for(*id)))]
    fn squares(ids: &[u64]) -> HashMap<u64, u64> {
        ids.iter().map(|id| (*id, id * id)).collect()
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    one.with(|| squares(&[3]));
    settle(&one);
    let stores = one.clone();
    *BETWEEN.lock().unwrap() = Some(Box::new(move || {
        stores.with(|| squares(&[4]));
        settle(&stores);
    }));
    // The first is missing, and the last came when the transaction had begun.
    assert_eq!(other.with(|| squares(&[1, 2, 3, 4])).len(), 4);
    let stats = other.with(squares::stats);
    assert_eq!((stats.hits_l2, stats.joins_l2, stats.computations), (1, 1, 2));
}

#[test]
fn what_fails_of_a_batch_is_served_from_there_after_its_time_and_what_is_missing_is_remembered() {
    static FAILS: AtomicBool = AtomicBool::new(false);
    static ASKED: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());

    #[cached(batch = ids, tier = "l2", ttl = "10s", grace = "1h", negative = "10m")]
    fn answers(ids: &[u64]) -> HashMap<u64, Result<u64, String>> {
        ASKED.lock().unwrap().push(ids.to_vec());
        let answer = |id: u64| match FAILS.load(SeqCst) {
            true if id != 2 => Err("on purpose".to_owned()),
            is_later => Ok(10 * id + u64::from(is_later)),
        };
        ids.iter().filter(|id| **id != 3).map(|id| (*id, answer(*id))).collect()
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let all = |process: &Runtime| process.with(|| answers(&[1, 2, 3]));
    let first = HashMap::from([(1, Ok(10)), (2, Ok(20))]);
    assert_eq!(all(&one), first);
    settle(&one);
    machine.clock.advance(Duration::from_secs(11));
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

    #[cached(batch = ids, tier = "l2")]
    fn crossed(ids: &[u64]) -> HashMap<u64, u64> {
        COMPUTED.lock().unwrap().extend(ids);
        thread::yield_now();
        ids.iter().map(|id| (*id, id * id)).collect()
    }

    let machine = Machine::new();
    let processes = [(); 3].map(|()| machine.process());
    let start = Barrier::new(processes.len() + 1);
    for round in 0..ROUNDS {
        let first = round * IDS;
        let ids: Vec<u64> = (first..first + IDS).collect();
        // Some are held by another when the claims to all are taken.
        let (single, turned) = (vec![first + 5], ids.iter().rev().copied().collect());
        let orders: [Vec<u64>; 3] = [ids, turned, single];
        thread::scope(|scope| {
            for (process, ids) in processes.iter().zip(&orders) {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    assert_eq!(process.with(|| crossed(ids)).len(), ids.len());
                });
            }
            start.wait();
        });
        let mut computed = mem::take(&mut *COMPUTED.lock().unwrap());
        computed.sort_unstable();
        assert_eq!(computed, (first..first + IDS).collect::<Vec<_>>(), "each is computed once");
    }
    let joins: u64 = processes.iter().map(|it| it.with(crossed::stats).joins_l2).sum();
    assert!(joins > 0, "they never met");
}
