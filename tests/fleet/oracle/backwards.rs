//! Bad is a value read from Redis after a later one had been: one that was overtaken replaced it,
//! though the right to store it was gone (F3).

use crate::functions::Function;
use crate::journal::{Account, Calls};
use std::collections::HashMap;

/// A value, read though a later one had been there.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "to be read by whoever looks for the reason")]
pub(super) struct Backwards {
    calls: Calls,
    later: u64,
}

pub(super) fn judge(accounts: &[Account]) -> Vec<Backwards> {
    let all = || accounts.iter().flat_map(|it| &it.calls).filter(|it| was_read(it));
    let mut read: HashMap<(Function, u64), Vec<(u64, u64)>> = HashMap::new();
    for it in all() {
        read.entry((it.function, it.key)).or_default().push((it.first.1, it.born));
    }
    for values in read.values_mut() {
        values.sort_unstable();
        let mut latest = 0;
        for (_, born) in values {
            latest = latest.max(*born);
            *born = latest;
        }
    }
    let judge_one = |calls: &Calls| {
        let values = &read[&(calls.function, calls.key)];
        let before = values.partition_point(|(end, _)| *end < calls.last);
        let later = values[before.checked_sub(1)?].1;
        (calls.born < later).then_some(Backwards { calls: *calls, later })
    };
    all().filter_map(judge_one).collect()
}

/// Whether a value was not computed by a call, nor while that waited.
fn was_read(calls: &Calls) -> bool {
    calls.function.is_in_redis_alone() && calls.born < calls.first.0
}
