//! What has happened: bodies, invalidations, and when.
//!
//! One history for each thread, since bodies can't be handed one.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic;
use std::task::{Poll, Waker};
use std::time::Duration;

pub(crate) const ON_PURPOSE: &str = "on purpose";

/// A place in the order of all events.
pub(crate) type At = u64;

/// What a body is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value,
    Error,
    Panic,
}

/// On whose behalf a body runs: that of a call, or of what it left behind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// When it began to compute, at the earliest.
    pub(crate) since: (At, Duration),
    /// Whether it may compute what another computes.
    pub(crate) is_beside: bool,
    /// How long the call says that what it computes is fresh.
    pub(crate) ttl: Option<Duration>,
    /// Whether it was left behind, maybe for all, whatever its call said.
    pub(crate) is_behind: bool,
}

/// One run of a body.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) function: &'static str,
    pub(crate) key: u8,
    pub(crate) origin: Origin,
    pub(crate) began: (At, Duration),
    /// What it is to do, once that has been decided.
    pub(crate) told: Option<End>,
    /// When it ended, and how; nothing if it was cancelled.
    pub(crate) ended: Option<(At, Duration, Option<End>)>,
    waker: Option<Waker>,
}

/// One invalidation, of one function, and of one key if not of all.
#[derive(Debug)]
pub(crate) struct Invalidation {
    pub(crate) function: usize,
    pub(crate) key: Option<u8>,
    /// The process it was made in, where others don't hear of it.
    pub(crate) process: Option<usize>,
    pub(crate) began: At,
    pub(crate) returned: At,
}

#[derive(Debug, Default)]
pub(crate) struct History {
    pub(crate) now: At,
    pub(crate) time: Duration,
    pub(crate) bodies: Vec<Body>,
    pub(crate) invalidations: Vec<Invalidation>,
}

thread_local! {
    static HISTORY: RefCell<History> = RefCell::default();
    static ORIGIN: Cell<Origin> = Cell::default();
}

pub(crate) fn with<R>(f: impl FnOnce(&mut History) -> R) -> R {
    HISTORY.with(|history| f(&mut history.borrow_mut()))
}

/// Runs something on behalf of one.
pub(crate) fn on_behalf_of<R>(origin: Origin, f: impl FnOnce() -> R) -> R {
    ORIGIN.set(origin);
    f()
}

/// The next place in the order of events.
pub(crate) fn tick() -> At {
    with(|history| {
        history.now += 1;
        history.now
    })
}

/// Notes the end of a body, however that comes about.
struct Running(usize);

impl Drop for Running {
    fn drop(&mut self) {
        let at = tick();
        with(|history| {
            let time = history.time;
            let body = &mut history.bodies[self.0];
            body.ended.get_or_insert((at, time, None));
        });
    }
}

/// The body of every function: it is there until it is told what to do.
pub(crate) fn body(
    function: &'static str,
    key: u8,
) -> impl Future<Output = Result<u64, u64>> + Send {
    let mut running = None;
    poll_fn(move |task| {
        let Running(at) = running.get_or_insert_with(|| {
            let at = tick();
            // Nobody knows of this before the body runs.
            larder::tag(format!("found:{key}"));
            with(|history| {
                let began = (at, history.time);
                let (origin, told, ended, waker) = (ORIGIN.get(), None, None, None);
                history.bodies.push(Body { function, key, origin, began, told, ended, waker });
                Running(history.bodies.len() - 1)
            })
        });
        let place = *at;
        let told = with(|history| {
            let body = &mut history.bodies[place];
            body.waker = Some(task.waker().clone());
            body.told
        });
        let Some(end) = told else { return Poll::Pending };
        let at = tick();
        with(|history| {
            let time = history.time;
            history.bodies[place].ended = Some((at, time, Some(end)));
        });
        match end {
            End::Value => Poll::Ready(Ok(place as u64)),
            End::Error => Poll::Ready(Err(place as u64)),
            End::Panic => panic::panic_any(ON_PURPOSE),
        }
    })
}

/// The bodies that wait to be told what to do.
pub(crate) fn waiting() -> Vec<usize> {
    with(|history| {
        let bodies = history.bodies.iter().enumerate();
        let waiting = bodies.filter(|(_, it)| it.told.is_none() && it.ended.is_none());
        waiting.map(|(at, _)| at).collect()
    })
}

/// Tells a body what to do.
pub(crate) fn tell(at: usize, end: End) {
    let waker = with(|history| {
        history.bodies[at].told = Some(end);
        history.bodies[at].waker.take()
    });
    waker.into_iter().for_each(Waker::wake);
}
