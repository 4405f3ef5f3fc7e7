//! The model: what may be served, given what has happened.

use crate::functions::{ALL, Answer};
use crate::history::{At, Body, End, History};
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
    Error,
}

/// Time is told to no less than this: files tell it by another clock.
const SLACK: Duration = Duration::from_millis(200);

/// Judges the answer of a call that has just returned.
pub(crate) fn judge(history: &History, call: &Call, answer: Answer) -> Served {
    let (Ok(place) | Err(place)) = answer;
    let body = &history.bodies[usize::try_from(place).unwrap()];
    let function = &ALL[call.function];
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
    let ttl = function.ttl_of(place);
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
        assert!(begun_since(history, call, ended.0), "nobody computes it anew: {}", about());
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
