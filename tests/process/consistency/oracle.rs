//! Who judges what happened.
//!
//! Bad is a value whose body began before an invalidation of its names did, served to a call that
//! began after that invalidation had returned (C1, C2).

use super::functions::{FUNCTIONS, Function, KEYS};
use super::journal::{Account, Call, Invalidation};
use std::collections::HashMap;

/// For one function and key: when invalidations returned, and when the last of those that had
/// returned until then began.
type Bounds = Vec<(u64, u64)>;

/// A value that must not have been served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stale {
    #[expect(dead_code, reason = "to be read by whoever looks for the reason")]
    pub(super) call: Call,
    /// When the invalidation began that it was served in spite of.
    #[expect(dead_code, reason = "to be read by whoever looks for the reason")]
    pub(super) invalidated: u64,
}

pub(super) fn judge(accounts: &[&Account]) -> Vec<Stale> {
    let invalidations = accounts.iter().flat_map(|it| it.invalidations.iter().copied());
    let mut returned: Vec<_> = invalidations.filter(|it| it.end.is_some()).collect();
    returned.sort_by_key(|it| it.end);
    let mut all = HashMap::new();
    for function in FUNCTIONS {
        for key in 0..KEYS {
            all.insert((function, key), bounds(&returned, function, key));
        }
    }
    let calls = accounts.iter().flat_map(|it| &it.calls);
    calls.filter_map(|call| judge_one(&all, call)).collect()
}

fn bounds(returned: &[Invalidation], function: Function, key: u64) -> Bounds {
    let naming = returned.iter().filter(|it| it.name.names(function, key));
    let mut latest = 0;
    naming
        .filter_map(|it| {
            latest = latest.max(it.start);
            Some((it.end?, latest))
        })
        .collect()
}

fn judge_one(all: &HashMap<(Function, u64), Bounds>, call: &Call) -> Option<Stale> {
    let latest = |function, key| {
        let bounds = &all[&(function, key)];
        let before = bounds.partition_point(|(end, _)| *end < call.start);
        before.checked_sub(1).map_or(0, |last| bounds[last].1)
    };
    let outer = latest(call.function, call.key);
    let inner = call.function.contains(call.key).map(|(inner, key)| latest(inner, key));
    let overtaken = (call.born < outer).then_some(outer);
    let overtaken = overtaken.or(inner.filter(|inner| call.inner < *inner));
    overtaken.map(|invalidated| Stale { call: *call, invalidated })
}

#[cfg(test)]
mod tests {
    use super::super::functions::Name;
    use super::*;

    fn called(function: Function, key: u64, start: u64, born: u64, inner: u64) -> Account {
        let call = Call { start, function, key, born, inner };
        Account { calls: vec![call], ..Account::default() }
    }

    fn invalidated(name: Name, start: u64, end: Option<u64>) -> Account {
        let invalidation = Invalidation { start, end, name };
        Account { invalidations: vec![invalidation], ..Account::default() }
    }

    fn is_bad(call: &Account, invalidation: &Account) -> bool {
        !judge(&[call, invalidation]).is_empty()
    }

    #[test]
    fn a_value_older_than_an_invalidation_that_had_returned_is_bad() {
        for name in [
            Name::Key(Function::Both, 4),
            Name::Third(1),
            Name::ThirdAndHalf(1, 0),
            Name::Matching(4),
            Name::Function(Function::Both),
            Name::Everything,
        ] {
            let invalidation = invalidated(name, 10, Some(20));
            assert!(is_bad(&called(Function::Both, 4, 21, 9, 0), &invalidation), "{name:?}");
            assert!(!is_bad(&called(Function::Both, 4, 21, 11, 0), &invalidation), "{name:?}");
        }
    }

    #[test]
    fn a_value_of_other_names_is_not() {
        for name in [
            Name::Key(Function::Both, 3),
            Name::Key(Function::Disk, 4),
            Name::Third(0),
            Name::ThirdAndHalf(1, 1),
            Name::Matching(3),
            Name::Function(Function::Disk),
        ] {
            let invalidation = invalidated(name, 10, Some(20));
            assert!(!is_bad(&called(Function::Both, 4, 21, 9, 0), &invalidation), "{name:?}");
        }
    }

    #[test]
    fn a_call_that_began_before_the_invalidation_returned_may_have_either() {
        let call = called(Function::Both, 4, 19, 9, 0);
        assert!(!is_bad(&call, &invalidated(Name::Everything, 10, Some(20))));
        assert!(!is_bad(&call, &invalidated(Name::Everything, 10, None)));
    }

    #[test]
    fn of_two_invalidations_that_overlap_the_later_beginning_counts() {
        let long = invalidated(Name::Everything, 5, Some(30));
        let short = invalidated(Name::Everything, 10, Some(20));
        let call = called(Function::Both, 4, 31, 9, 0);
        assert!(!judge(&[&call, &long, &short]).is_empty());
    }

    #[test]
    fn what_contains_a_stale_value_is_bad_as_well() {
        let invalidation = invalidated(Name::Key(Function::Inner, 1), 10, Some(20));
        assert!(is_bad(&called(Function::Outer, 5, 21, 9, 9), &invalidation));
        assert!(is_bad(&called(Function::Outer, 5, 21, 11, 9), &invalidation));
        assert!(!is_bad(&called(Function::Outer, 5, 21, 11, 12), &invalidation));
    }
}
