//! What is computed once is there for all processes, and for those to come.

use crate::support::{Calls, Machine, settle};
use futures_lite::future::block_on;
use larder::cached;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_value_is_there_for_another_process_and_after_a_restart() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn square(number: u64) -> u64 {
        CALLS.note();
        number * number
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    assert_eq!(one.with(|| square(3)), 9);
    settle(&one);
    assert_eq!(other.with(|| square(3)), 9);
    // In memory from here on.
    assert_eq!(other.with(|| square(3)), 9);
    drop((one, other));
    let restarted = machine.process();
    assert_eq!(restarted.with(|| square(3)), 9);
    assert_eq!(CALLS.taken(), 1);
    let stats = restarted.with(square::stats);
    assert_eq!((stats.hits, stats.hits_l2, stats.computations), (1, 1, 0));
}

#[test]
fn a_value_is_not_lost_when_the_runtime_is_dropped_at_once() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l2")]
    fn text(number: u64) -> String {
        CALLS.note();
        number.to_string()
    }

    let machine = Machine::new();
    for number in 0..200 {
        machine.process().with(|| text(number % 10));
    }
    assert_eq!(CALLS.taken(), 10);
}

#[test]
fn without_l1_every_hit_comes_from_disk() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l2")]
    fn length(text: &str) -> usize {
        CALLS.note();
        text.len()
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| {
        assert_eq!(length("four"), 4);
        // On its way to the disk or there already.
        assert_eq!(length("four"), 4);
        settle(&process);
        assert_eq!(length("four"), 4);
        let stats = length::stats();
        assert_eq!((stats.hits_l2, stats.entries, stats.stores_l2), (2, 0, 1));
    });
    assert_eq!(CALLS.taken(), 1);
}

#[test]
fn a_store_that_is_waited_for_is_there_when_the_call_returns() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", write = "through")]
    fn plain(number: u64) -> u64 {
        CALLS.note();
        number
    }

    #[cached(tier = "l1,l2", write = "through")]
    async fn later(number: u64) -> u64 {
        CALLS.note();
        number
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    for number in 0..20 {
        one.with(|| plain(number));
        other.with(|| plain(number));
        block_on(one.scope(later(number)));
        block_on(other.scope(later(number)));
    }
    assert_eq!(CALLS.taken(), 40);
}

/// Whoever asked for it waits until the value is stored, and nobody else.
#[test]
fn only_a_call_that_writes_through_waits_for_the_store() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn behind(number: u64) -> u64 {
        CALLS.note();
        number
    }

    #[cached(tier = "l1,l2", write = "through")]
    fn through(number: u64) -> u64 {
        CALLS.note();
        number
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| (behind(0), through(0)));
    settle(&process);
    let raw = rusqlite::Connection::open(machine.store()).unwrap();
    // A writer gives up at last, so what is seen counts only if the lock was held for a moment.
    let is_waiting = |number: u64| {
        let begun = Instant::now();
        let is_brief = || begun.elapsed() < Duration::from_secs(1);
        raw.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            CALLS.taken();
            let call = scope.spawn(|| process.with(|| through(number)));
            while CALLS.taken() == 0 {
                thread::yield_now();
            }
            // By far more than is left to do for who does not wait.
            for more in (0..50).take_while(|_| is_brief()) {
                process.with(|| behind(50 * number + more));
            }
            let seen = is_brief().then(|| !call.is_finished());
            raw.execute_batch("ROLLBACK").unwrap();
            assert_eq!(call.join().unwrap(), number);
            seen
        })
    };
    let seen = (1..5).find_map(|number| Some((number, is_waiting(number)?)));
    let (number, is_waiting) = seen.expect("those that do not wait return soon");
    assert!(is_waiting);
    CALLS.taken();
    assert_eq!(machine.process().with(|| through(number)), number);
    assert_eq!(CALLS.taken(), 0, "it is there when the call returns");
}

#[test]
fn an_error_is_not_kept_and_a_negative_one_is() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", write = "through")]
    fn plain(number: u64) -> Result<u64, String> {
        CALLS.note();
        Err(format!("no {number}"))
    }

    #[cached(tier = "l1,l2", write = "through", negative = "5s")]
    fn negative(number: u64) -> Result<u64, String> {
        CALLS.note();
        Err(format!("no {number}"))
    }

    let machine = Machine::new();
    for process in [machine.process(), machine.process()] {
        process.with(|| assert_eq!(plain(1).unwrap_err(), "no 1"));
    }
    assert_eq!(CALLS.taken(), 2);
    for process in [machine.process(), machine.process()] {
        process.with(|| assert_eq!(negative(1).unwrap_err(), "no 1"));
    }
    assert_eq!(CALLS.taken(), 1);
}

/// F3.
#[test]
fn processes_that_miss_the_same_key_compute_it_once() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2")]
    fn slow(number: u64) -> u64 {
        CALLS.note();
        // Long enough for every other process to have missed it.
        thread::sleep(std::time::Duration::from_millis(50));
        number
    }

    let machine = Machine::new();
    let processes: Vec<_> = (0..4).map(|_| machine.process()).collect();
    let together = Arc::new(Barrier::new(2 * processes.len()));
    thread::scope(|scope| {
        for process in processes.iter().chain(&processes) {
            let together = Arc::clone(&together);
            scope.spawn(move || {
                together.wait();
                assert_eq!(process.with(|| slow(7)), 7);
            });
        }
    });
    assert_eq!(CALLS.taken(), 1);
}

/// F2: each would wait for the other's lease.
#[test]
fn processes_that_compute_in_a_circle_do_not_wait_for_each_other() {
    #[cached(tier = "l1,l2")]
    fn ping(depth: u64) -> u64 {
        thread::sleep(std::time::Duration::from_millis(20));
        if depth == 0 { 0 } else { pong(depth - 1) + 1 }
    }

    #[cached(tier = "l1,l2")]
    fn pong(depth: u64) -> u64 {
        thread::sleep(std::time::Duration::from_millis(20));
        if depth == 0 { 0 } else { ping(depth - 1) + 1 }
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    thread::scope(|scope| {
        scope.spawn(|| one.with(|| assert_eq!(ping(4), 4)));
        scope.spawn(|| other.with(|| assert_eq!(pong(4), 4)));
    });
}

#[test]
fn a_computation_that_panics_gives_its_lease_back() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", wait = "1h")]
    fn twice(number: u64) -> u64 {
        CALLS.note();
        assert!(CALLS.taken() == 0 || number > 0, "the first time");
        number
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    let panicked = thread::scope(|scope| scope.spawn(|| one.with(|| twice(0))).join());
    assert!(panicked.is_err());
    let panicked = thread::scope(|scope| scope.spawn(|| other.with(|| twice(0))).join());
    assert!(panicked.is_err(), "it was computed again, and not waited for");
}

#[test]
fn what_is_computed_inside_another_process_s_lease_is_shared_with_those_who_wait_here() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l2")]
    fn slow(number: u64) -> u64 {
        CALLS.note();
        thread::sleep(std::time::Duration::from_millis(30));
        number
    }

    let machine = Machine::new();
    let (one, other) = (machine.process(), machine.process());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| one.with(|| assert_eq!(slow(1), 1)));
            scope.spawn(|| other.with(|| assert_eq!(slow(1), 1)));
        }
    });
    assert_eq!(CALLS.taken(), 1);
}
