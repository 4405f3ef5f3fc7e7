//! A batch in memory: beside as many single calls, and a loop by hand over a map.

use super::{IDS, NEW};
use crate::cli::Effort;
use crate::peers::{CAPACITY, maps};
use crate::report::{Report, Setting};
use crate::rounds::{Contestant, Lap, Length, race};
use crate::truth::{self, compute};
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

#[larder::cached(batch = ids, ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
fn all(ids: &[u64]) -> HashMap<u64, u64> {
    ids.iter().map(|id| (*id, compute(truth::number(*id)))).collect()
}

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
fn one(id: u64) -> u64 {
    compute(truth::number(id))
}

pub(super) fn run(effort: Effort, report: &mut Report) {
    let batches = effort.pick(300, 1_000);
    let length = Length {
        fewest: effort.pick(5, 11),
        most: 51,
        time: effort.pick(Duration::from_millis(600), Duration::from_secs(6)),
    };
    let map = maps::quick::<u64, u64>(CAPACITY);
    let by_hand = |ids: &[u64]| {
        let (mut found, mut missing) = (HashMap::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match map.get(id) {
                Some(value) => drop(found.insert(*id, value)),
                None => missing.push(*id),
            }
        }
        let made = missing.iter().map(|id| (*id, compute(truth::number(*id))));
        for (id, value) in made.collect::<HashMap<_, _>>() {
            map.insert(id, value);
            found.insert(id, value);
        }
        found
    };
    let singly = |ids: &[u64]| ids.iter().map(|id| (*id, one(*id))).collect::<HashMap<_, _>>();
    let contestants = [
        contestant("larder", batches, &|ids| all(ids)),
        contestant("quick_cache", batches, &by_hand),
        contestant("single-calls", batches, &singly),
    ];
    let times = race(&contestants, 1, length, &|_| {});
    let ids = usize::try_from(IDS).expect("they are few");
    let setting = Setting { case: "l1-batch".to_owned(), keys: ids, threads: 1 };
    report.progress(&setting, &times);
    for (at, other) in contestants.iter().enumerate().skip(1) {
        report.row(&setting, other.name, times.compare(0, at, batches));
    }
    report.note(format_args!(
        "l1-batch: {IDS} ids, of which {NEW} are new each time; by hand and singly they are looked up one\n\
         by one, and a map is made of all"
    ));
}

/// Who looks the same ids up again and again, with some new ones.
fn contestant<'a>(
    name: &'static str,
    batches: usize,
    call: &'a (impl Fn(&[u64]) -> HashMap<u64, u64> + Sync),
) -> Contestant<'a> {
    static NEXT: AtomicU64 = AtomicU64::new(1_000);
    let ids = move || {
        let first = NEXT.fetch_add(NEW, Relaxed);
        (0..IDS - NEW).chain(first..first + NEW).collect::<Vec<u64>>()
    };
    Contestant {
        name,
        prepare: Box::new(move || {
            let ids = ids();
            let found = call(&ids);
            assert!(ids.iter().all(|id| found[id] == truth::number(*id)));
        }),
        lap: Box::new(move |_: Lap| {
            let before = truth::computed();
            for _ in 0..batches {
                let found = black_box(call(&ids()));
                assert_eq!(found.len() as u64, IDS);
            }
            let computed = truth::computed() - before;
            assert_eq!(computed, NEW * batches as u64, "more or fewer than the new ones");
        }),
    }
}
