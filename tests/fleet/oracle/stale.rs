//! Bad is a value whose body began before an invalidation of its names did, served to a call that
//! began after
//!
//! 1. that had returned in the same process, success or not (C1, C5);
//! 2. the servers had been told, where the value is in Redis alone (C3);
//! 3. the bound had passed since then, where it may come from memory (C3, C4). What a process hears is
//!    vouched for by a heartbeat sent within the bound: what was invalidated before that was heard
//!    before its answer, so there is nothing to be added to the bound.
//!
//! What is called on the way is judged by when its own body began, and what calls it is not judged by
//! its names: the versions that a callee carries are captured when it is computed, which may be after
//! its caller began.

use super::applied::Applied;
use crate::functions::{FUNCTIONS, Function, KEYS};
use crate::journal::{Account, Calls};
use crate::moment::nanos;
use crate::worker::BOUND;
use std::collections::HashMap;

/// For one function and key: when invalidations had taken effect, and when the last of those that had
/// until then began.
#[derive(Default)]
struct Bounds(Vec<(u64, u64)>);

/// A value that must not have been served.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "to be read by whoever looks for the reason")]
pub(super) struct Stale {
    process: usize,
    calls: Calls,
    start: u64,
    /// When the invalidation began that it was served in spite of.
    invalidated: u64,
    by: By,
}

#[derive(Clone, Copy, Debug)]
enum By {
    Itself,
    Any,
}

type Key = (Function, u64);

pub(super) fn judge(accounts: &[Account], applied: &[Applied]) -> Vec<Stale> {
    let any = bounds(applied, |it| it.told);
    let judge = |(process, account): (usize, &Account)| {
        let mine: Vec<_> = applied.iter().filter(|it| it.process == process).copied().collect();
        let mine = bounds(&mine, |it| it.end);
        let judge = |calls: &Calls| judge_one(process, calls, &mine, &any);
        account.calls.iter().filter_map(judge).collect::<Vec<_>>()
    };
    accounts.iter().enumerate().flat_map(judge).collect()
}

fn bounds(all: &[Applied], since: fn(&Applied) -> Option<u64>) -> HashMap<Key, Bounds> {
    let certain = all.iter().filter(|it| !it.may_be_lost);
    let mut all: Vec<_> = certain.filter_map(|it| Some((since(it)?, it))).collect();
    all.sort_by_key(|(since, _)| *since);
    let keys = FUNCTIONS.into_iter().flat_map(|function| (0..KEYS).map(move |key| (function, key)));
    keys.map(|(function, key)| {
        let naming = all.iter().filter(|(_, it)| it.name.names(function, key));
        let mut latest = 0;
        let bounds = naming.map(|(since, it)| {
            latest = latest.max(it.start);
            (*since, latest)
        });
        ((function, key), Bounds(bounds.collect()))
    })
    .collect()
}

impl Bounds {
    fn latest(&self, before: u64) -> u64 {
        let count = self.0.partition_point(|(since, _)| *since < before);
        count.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

fn judge_one(
    process: usize,
    calls: &Calls,
    mine: &HashMap<Key, Bounds>,
    any: &HashMap<Key, Bounds>,
) -> Option<Stale> {
    let Calls { function, key, born, inner, first, last } = *calls;
    [first.0, last].into_iter().find_map(|start| {
        let is_overtaken = |name: Key, born: u64, is_strict: bool| {
            let before = if is_strict { start } else { start.saturating_sub(nanos(BOUND)) };
            let (mine, any) = (mine[&name].latest(start), any[&name].latest(before));
            let bad = |invalidated, by| {
                (born < invalidated).then_some(Stale {
                    process,
                    calls: *calls,
                    start,
                    invalidated,
                    by,
                })
            };
            bad(mine, By::Itself).or_else(|| bad(any, By::Any))
        };
        let is_alone = function.is_in_redis_alone();
        // What is computed now may be made of what is still in memory. Once read, it may not.
        let is_read = is_alone && born < start;
        is_overtaken((function, key), born, is_alone)
            .or_else(|| function.contains(key).and_then(|name| is_overtaken(name, inner, is_read)))
    })
}
