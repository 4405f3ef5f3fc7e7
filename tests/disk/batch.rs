//! `batch` with values on disk: each id is an entry there, and one process computes it.

use crate::support::{Calls, Machine, settle};
use larder::{Runtime, cached};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, OnceLock};
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
