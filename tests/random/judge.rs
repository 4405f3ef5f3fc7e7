//! The model: what may be served, given what has happened.

use crate::functions::{ALL, Answer, MADE_UP};
use crate::history::{At, Body, End, History};
use std::ops::RangeInclusive;
use std::time::Duration;

/// One call, as its caller sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) function: usize,
    pub(crate) key: u8,
    pub(crate) process: usize,
    pub(crate) began: (At, Duration),
    /// Nothing that is cached is to be served.
    pub(crate) skips_read: bool,
}

/// What was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    Fresh,
    Overdue,
    /// Or what is made up instead.
    Error,
}

/// Time is told to no less than this: files tell it by another clock.
const SLACK: Duration = Duration::from_millis(200);

/// So long after a failure comes the next attempt, at the earliest.
pub(crate) const BACKOFF: Duration = Duration::from_secs(1);

/// So long a call waits for others.
const WAIT: Duration = Duration::from_secs(30);

/// Judges the answer of a call that has just returned.
pub(crate) fn judge(history: &History, call: &Call, answer: Answer) -> Served {
    let function = &ALL[call.function];
    if answer == MADE_UP {
        let waited = history.time.saturating_sub(call.began.1);
        assert!(function.deadline().is_some_and(|it| waited >= it), "there was time: {call:?}");
        return Served::Error;
    }
    let (Ok(place) | Err(place)) = answer;
    let body = &history.bodies[usize::try_from(place).unwrap()];
    let about = || format!("{}({}): {call:?}\n{body:?}\n{answer:?}", function.name, call.key);
    assert_eq!((body.function, body.key), (function.name, call.key), "C6: {}", about());
    let ended = body.ended.unwrap_or_else(|| panic!("it never ended: {}", about()));
    let end = if answer.is_ok() { End::Value } else { End::Error };
    assert_eq!(ended.2, Some(end), "it ended otherwise: {}", about());
    if call.skips_read {
        assert!(body.began.0 > call.began.0, "it was to be computed: {}", about());
    }
    for invalidation in &history.invalidations {
        let is_meant = invalidation.function == call.function
            && invalidation.key.is_none_or(|it| it == call.key)
            && invalidation.process.is_none_or(|it| it == call.process);
        let is_overtaken = body.began.0 < invalidation.began;
        // An error is nowhere to be looked up: who waited for it has the bound to hear of what others did.
        let is_shared_error = function.is_far() && answer.is_err() && call.began.0 < ended.0;
        let is_before = invalidation.returned < call.began.0 && !is_shared_error;
        assert!(!(is_meant && is_overtaken && is_before), "C1: {}\n{invalidation:?}", about());
    }
    // When the call began, at the earliest, was it served.
    let born = born(history, usize::try_from(place).unwrap()).max(ended.1);
    let age = call.began.1.saturating_sub(born);
    if answer.is_err() {
        // An element of a batch may have failed long before the whole has ended.
        let is_element = call.function == 0;
        assert!(
            is_element || age < function.negative.max(SLACK),
            "the error is too old: {}",
            about()
        );
        return Served::Error;
    }
    // Who called before it ended may have waited for it.
    assert!(function.keeps(place) || call.began.0 < ended.0, "it was not to be kept: {}", about());
    let ttl = *ttls(history, usize::try_from(place).unwrap()).end();
    if age < ttl {
        return Served::Fresh;
    }
    let linger = function.stale.max(function.grace);
    assert!(age < ttl + linger + SLACK, "it is {age:?} old: {}", about());
    // What another one is waited for so long is served, however far that has come.
    let waited = history.time.saturating_sub(call.began.1);
    if function.timeout.is_some_and(|timeout| waited >= timeout) {
        return Served::Overdue;
    }
    if age >= ttl + function.stale + SLACK {
        assert!(failed_since(history, call, ended.0), "nothing failed: {}", about());
    } else if !function.is_on_disk() {
        // Another process may be about to.
        // What was computed beside others leaves alone what began later, and goes on.
        let since = if body.origin.is_beside { body.began.0 } else { ended.0 };
        assert!(begun_since(history, call, since), "nobody computes it anew: {}", about());
    }
    Served::Overdue
}

/// When a value came to be: that of an element of a batch, when all of it had ended. Their bodies begin one
/// right after the other.
fn born(history: &History, place: usize) -> Duration {
    let body = &history.bodies[place];
    let beside = [place.checked_sub(1), Some(place + 1)].into_iter().flatten();
    let beside = beside.filter_map(|place| history.bodies.get(place)).filter(|other| {
        body.function == ALL[0].name
            && other.function == body.function
            && other.began.0.abs_diff(body.began.0) == 1
    });
    beside.filter_map(|other| Some(other.ended?.1)).max().unwrap_or_default()
}

/// How long what a body returned is fresh, at the least and at the most.
fn ttls(history: &History, place: usize) -> RangeInclusive<Duration> {
    let body = &history.bodies[place];
    let function = ALL.iter().find(|it| it.name == body.function).unwrap();
    let own = function.ttl_of(place as u64);
    let said = body.origin.ttl.unwrap_or(own);
    if body.origin.is_behind { own.min(said)..=own.max(said) } else { said..=said }
}

/// Judges a body that has begun where a process is alone, but for what calls that are under way and `forced` may
/// have invalidated.
pub(crate) fn begun(history: &History, place: usize, forced: &[(usize, u8)]) {
    let body = &history.bodies[place];
    let function = ALL.iter().position(|it| it.name == body.function).unwrap();
    let is_forced = forced.contains(&(function, body.key));
    if body.origin.is_beside || is_forced {
        return;
    }
    one_at_a_time(history, function, place);
    // One that is of a batch may be run for another that has nothing else.
    if !ALL[function].grace.is_zero() && function != 0 {
        not_before_its_time(history, function, place);
    }
}

/// Whether something of a body's key was invalidated since.
fn is_invalidated(history: &History, (function, key): (usize, u8), since: At) -> bool {
    history.invalidations.iter().any(|it| {
        let is_meant = it.function == function && it.key.is_none_or(|it| it == key);
        is_meant && it.returned > since
    })
}

/// Whether what was computed beside others took the place of what they compute.
fn is_replaced(history: &History, body: &Body, since: At) -> bool {
    history.bodies.iter().any(|it| {
        let is_alike = (it.function, it.key) == (body.function, body.key);
        is_alike && it.origin.is_beside && it.ended.is_some_and(|ended| ended.0 > since)
    })
}

/// F1: of a key there is one at a time, unless it is invalidated or replaced meanwhile.
fn one_at_a_time(history: &History, function: usize, place: usize) {
    let body = &history.bodies[place];
    for other in &history.bodies[..place] {
        let is_alike = (other.function, other.key) == (body.function, body.key);
        let is_running = other.ended.is_none_or(|it| it.0 > body.began.0);
        if !is_alike || !is_running || other.origin.is_beside {
            continue;
        }
        let since = body.origin.since.0.min(other.origin.since.0);
        let is_overtaken = is_invalidated(history, (function, body.key), since)
            || is_replaced(history, body, since);
        let first = body.origin.since.1.min(other.origin.since.1);
        let is_waited_for = body.began.1.saturating_sub(first) < WAIT;
        assert!(is_overtaken || !is_waited_for, "F1: {body:?}\nbeside {other:?}");
    }
}

/// An attempt to replace what may be served still does not come right after one that failed.
fn not_before_its_time(history: &History, function: usize, place: usize) {
    let (body, options) = (&history.bodies[place], &ALL[function]);
    let of_key = || {
        let before = history.bodies[..place].iter().enumerate();
        before.filter(|(_, it)| (it.function, it.key) == (body.function, body.key))
    };
    let last = of_key().filter_map(|(at, it)| Some((at, it, it.ended?))).max_by_key(|it| it.2.0);
    let Some((_, failed, (_, when, Some(End::Error | End::Panic)))) = last else { return };
    // What it was to replace.
    let former = of_key().filter(|(at, it)| {
        let is_kept =
            matches!(it.ended, Some((_, _, Some(End::Value)))) && options.keeps(*at as u64);
        is_kept && !it.origin.is_beside
    });
    let Some((at, former)) = former.max_by_key(|(_, it)| it.ended.map(|it| it.0)) else { return };
    let since = [former, failed, body].map(|it| it.origin.since.0).into_iter().min().unwrap();
    let ttl = ttls(history, at).start().mul_f64(0.8);
    let end = born(history, at).max(former.ended.unwrap().1) + ttl;
    let is_at_hand = body.began.1 + SLACK < end + options.grace;
    let is_gone = is_invalidated(history, (function, body.key), since)
        || is_replaced(history, body, since)
        || failed.origin.is_beside;
    if is_at_hand && !is_gone {
        assert!(body.began.1 >= when + BACKOFF, "it is hit again: {body:?}\nafter {failed:?}");
    }
}

/// Whether an attempt to compute another value failed since one was.
fn failed_since(history: &History, call: &Call, since: At) -> bool {
    let is_failure =
        |body: &Body| matches!(body.ended, Some((_, _, end)) if end != Some(End::Value));
    attempts(history, call, since).any(is_failure)
}

/// Whether an attempt was made at all.
fn begun_since(history: &History, call: &Call, since: At) -> bool {
    attempts(history, call, since).next().is_some()
}

fn attempts<'a>(history: &'a History, call: &'a Call, since: At) -> impl Iterator<Item = &'a Body> {
    let is_attempt = move |body: &&Body| {
        // What one element of a batch comes to is that of all where it panics.
        let is_key = body.key == call.key || call.function == 0;
        body.function == ALL[call.function].name && is_key && body.began.0 > since
    };
    history.bodies.iter().filter(is_attempt)
}
