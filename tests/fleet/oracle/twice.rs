//! Bad are two bodies for one key that ran at the same time in different processes (F3), unless
//!
//! 1. the tier was not well for either of them, from its call on: then it computes for itself;
//! 2. something was invalidated, or may not have been heard of yet: that ends leases;
//! 3. the servers were made to forget leases, or what had been sent to them was late: what is given up
//!    may be done nevertheless as soon as they are free;
//! 4. it took as long as a lease does that is not renewed. That it is, is proved elsewhere.

use super::applied::Applied;
use crate::functions::Function;
use crate::journal::{Account, Body};
use crate::moment::nanos;
use crate::verdict::Window;
use crate::worker::BOUND;
use std::collections::HashMap;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "to be read by whoever looks for the reason")]
pub(super) struct Twice {
    one: (usize, Body),
    other: (usize, Body),
}

pub(super) fn judge(
    accounts: &[Account],
    applied: &[Applied],
    forgotten: &[Window],
) -> (Vec<Twice>, usize) {
    let mut bodies: HashMap<(Function, u64), Vec<(usize, Body)>> = HashMap::new();
    for (process, account) in accounts.iter().enumerate() {
        for body in account.bodies.iter().filter(|it| it.function.is_computed_in_turn()) {
            bodies.entry((body.function, body.key)).or_default().push((process, *body));
        }
    }
    let forgotten: Vec<_> = forgotten.iter().map(|it| (it.0, it.1 + nanos(BOUND))).collect();
    let (mut twice, mut compared) = (Vec::new(), 0);
    for ((function, key), mut bodies) in bodies {
        let windows = windows(applied, function, key);
        let is_calm = |one: &Body, other: &Body| {
            span(one, other).is_some_and(|span| {
                let is_free = |window: &Window| window.1 < span.0 || span.1 < window.0;
                windows.iter().chain(&forgotten).all(is_free)
            })
        };
        bodies.sort_by_key(|(_, body)| body.born);
        for (number, one) in bodies.iter().enumerate() {
            compared += usize::from(is_calm(&one.1, &one.1));
            let meanwhile = bodies[number + 1..].iter().take_while(|it| it.1.born < one.1.end);
            let bad = meanwhile.filter(|other| other.0 != one.0 && is_calm(&one.1, &other.1));
            twice.extend(bad.map(|other| Twice { one: *one, other: *other }));
        }
    }
    (twice, compared)
}

/// From when to when all must have been well, if one of two bodies should have waited.
fn span(one: &Body, other: &Body) -> Option<(u64, u64)> {
    let begin = one.called?.min(other.called?);
    (other.born < begin + nanos(LEASE)).then_some((begin, other.born))
}

/// While invalidations may end leases of a key.
fn windows(applied: &[Applied], function: Function, key: u64) -> Vec<Window> {
    let ends = applied.iter().filter(|it| it.name.is_listed() || it.name.names(function, key));
    ends.map(|it| {
        let end = it.told.or(it.end).unwrap_or(it.start);
        (it.start, end + nanos(BOUND))
    })
    .collect()
}
