//! A call whose value is not cached: what the framework adds to a body that returns at once.
//!
//! Every key is new. `fitting` keeps all of them, `evicting` has room for few; each with a time to
//! live and a tag as in the suite of hits, and again without.

use crate::cli::Effort;
use crate::peers::maps;
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Lap, Length, race};
use larder::FunctionStats;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Entries where all fit, and where few do.
const ROOM: usize = 1_000_000;
const LITTLE: usize = 10_000;
const CALLS: usize = 20_000;

/// Rounds, the one that does not count aside. Races on one and on two threads fill the same cache.
const MOST: usize = 14;
const _: () = assert!((MOST + 1) * CALLS * 3 <= ROOM - ROOM / 20, "`fitting` evicts");

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = ROOM)]
fn fitting(id: u64) -> u64 {
    body(id)
}

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = LITTLE)]
fn evicting(id: u64) -> u64 {
    body(id)
}

#[larder::cached(capacity = ROOM)]
fn fitting_bare(id: u64) -> u64 {
    body(id)
}

#[larder::cached(capacity = LITTLE)]
fn evicting_bare(id: u64) -> u64 {
    body(id)
}

fn body(id: u64) -> u64 {
    id.rotate_left(17)
}

pub(crate) fn run(effort: Effort) -> Report {
    let mut misses = Misses {
        report: Report::new("miss"),
        length: Length {
            fewest: effort.pick(4, MOST),
            most: effort.pick(4, MOST),
            time: Duration::ZERO,
        },
        begun: 0,
    };
    misses.case("fitting", ROOM, fitting, fitting::stats);
    misses.case("evicting", LITTLE, evicting, evicting::stats);
    misses.case("fitting-bare", ROOM, fitting_bare, fitting_bare::stats);
    misses.case("evicting-bare", LITTLE, evicting_bare, evicting_bare::stats);
    misses.report
}

struct Misses {
    report: Report,
    length: Length,
    /// Races so far; each has its own keys.
    begun: u64,
}

impl Misses {
    fn case(
        &mut self,
        case: &str,
        capacity: usize,
        function: impl Fn(u64) -> u64 + Copy + Send + Sync,
        stats: impl Fn() -> FunctionStats,
    ) {
        let map = maps::quick::<u64, u64>(capacity);
        let get_or_put = |id| {
            map.get(&id).unwrap_or_else(|| {
                let value = body(id);
                map.insert(id, value);
                value
            })
        };
        for threads in [1, 2] {
            self.begun += 1;
            let contestants = [
                contestant("larder", self.begun, capacity, function),
                contestant("quick_cache", self.begun, capacity, get_or_put),
            ];
            let before = stats().computations;
            let times = race(&contestants, threads, self.length, &|_| {});
            let calls = (times.rounds() + 1) * threads * CALLS + threads * prepared(capacity);
            let computed = usize::try_from(stats().computations - before);
            assert_eq!(computed, Ok(calls), "each call computes, and is counted");
            let setting = Setting { case: case.to_owned(), keys: calls, threads };
            self.report.progress(&setting, &times);
            self.report.row(&setting, contestants[1].name, times.compare(0, 1, CALLS));
        }
    }
}

/// Calls that fill a cache so that each further one evicts.
fn prepared(capacity: usize) -> usize {
    if capacity == LITTLE { 3 * LITTLE } else { 0 }
}

fn contestant<'a>(
    name: &'static str,
    race: u64,
    capacity: usize,
    call: impl Fn(u64) -> u64 + Copy + Send + Sync + 'a,
) -> Contestant<'a> {
    let filled = AtomicU64::new(1 << 40);
    let amount = prepared(capacity);
    Contestant {
        name,
        prepare: Box::new(move || {
            let first = filled.fetch_add(number(amount), Relaxed);
            run_through(race, first, amount, call);
        }),
        lap: Box::new(move |lap: Lap| {
            let laps = lap.round * lap.threads + lap.thread;
            run_through(race, number(laps * CALLS), CALLS, call);
        }),
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).expect("a count fits into 64 bits")
}

fn run_through(race: u64, first: u64, calls: usize, call: impl Fn(u64) -> u64) {
    let ids = ((race << 48) + first..).take(calls);
    let wrong = ids.filter(|id| black_box(call(*id)) != body(*id)).count();
    assert_eq!(wrong, 0, "a call returned another's value");
}
