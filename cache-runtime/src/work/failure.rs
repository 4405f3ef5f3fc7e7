//! What becomes of a computation that failed: what it was to replace may be served for a while longer.
//!
//! 1. What is served so keeps its time of birth, and its end. Nothing is stored.
//! 2. What was invalidated meanwhile is not served: the failure is its caller's.

use super::{Claim, Finished, Placed, Work};
use crate::clock::Moment;
use crate::entry::{About, Stamp};
use crate::flight::Landing;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::stored::Loaded;
use crate::tier::memory::{Arrival, Lead};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

/// A value whose time is over.
pub(super) struct Overdue<V> {
    loaded: Loaded<V>,
    /// The clock before it was asked for.
    stamp: Stamp,
}

/// What is served instead of a failure.
struct Former<Kd: Kind> {
    out: Kd::Out,
    about: Arc<About>,
    expires: Moment,
    stamp: Stamp,
    /// To be kept in memory, where it is not.
    arrival: Option<Arrival<Kd::Kept>>,
}

/// How far two readings of one value's birth may be apart.
const DRIFT: Duration = Duration::from_millis(100);

impl<Kd: Kind> Former<Kd> {
    fn is_later_than(&self, other: &Self) -> bool {
        self.about.born.since(other.about.born) > DRIFT
    }
}

/// A body's future, whose panics are caught if something else may be served then.
pub(crate) struct Driven<F> {
    pub(super) body: Pin<Box<F>>,
    pub(super) is_caught: bool,
}

impl<F: Future> Future for Driven<F> {
    type Output = thread::Result<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut poll = || this.body.as_mut().poll(context);
        if !this.is_caught {
            return poll().map(Ok);
        }
        // Who is polled again after a panic is told so by itself; this is not.
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    /// Whether a failure may not be the caller's.
    pub(super) fn is_graceful(&self) -> bool {
        !self.function.site.options.grace.is_zero() && matches!(self.claim, Claim::Lead(_))
    }

    /// Goes on after the body has panicked: with what was to be replaced, or with the panic.
    pub(crate) fn recover(mut self, panic: Box<dyn Any + Send>) -> Placed<K, Kd> {
        self.fall_back(true).unwrap_or_else(|| {
            drop(self);
            resume_unwind(panic)
        })
    }

    /// Serves what was to be replaced, to all who wait, and puts the next attempt off. Nothing if there is
    /// nothing to serve; and if none has failed, unless the next is not due.
    pub(super) fn fall_back(&mut self, has_failed: bool) -> Option<Placed<K, Kd>> {
        let (Claim::Lead(lead), true) = (&self.claim, self.is_graceful()) else { return None };
        let function = Arc::clone(&self.function);
        // What was invalidated elsewhere meanwhile is not served here either, nor what nobody vouches for.
        if function.stored.as_ref().is_some_and(|stored| !stored.hear()) {
            return None;
        }
        let here = self.in_memory(lead);
        let elsewhere = self.overdue.as_deref().and_then(|it| self.beyond_memory(it));
        // Another process may have computed it since.
        let Former { out, about, expires, stamp, arrival } = match (here, elsewhere) {
            (Some(here), Some(elsewhere)) if elsewhere.is_later_than(&here) => elsewhere,
            (here, elsewhere) => here.or(elsewhere)?,
        };
        if has_failed {
            about.attempts.fail(self.time().now(), function.home.backoff);
        } else if about.attempts.is_due(self.time().now()) {
            return None;
        }
        function.counters.grace_hits.add(1);
        let memory = &function.memory;
        let right = Lead { flight: Arc::clone(&lead.flight), term: lead.term, stamp };
        memory.land(self.basis.hash, &right, &about, arrival);
        let is_waited_for = lead.flight.has_followers();
        let shared = is_waited_for.then(|| self.kind.share(&out)).flatten().map(Arc::new);
        let landing = Landing { shared, stamp, expires, about: Arc::clone(&about) };
        lead.flight.land(lead.term, landing);
        self.claim = Claim::Landed;
        self.frame.close();
        if let Some(caller) = self.frame.caller() {
            caller.inherit(function.home.id, &about, expires, function.site.options.keyed);
        }
        self.told = true;
        Some(Placed::Landed(Finished { out, arrival: None }))
    }

    fn in_memory(&self, lead: &Lead<Kd::Shared>) -> Option<Former<Kd>> {
        let limit = (self.time(), self.function.site.options.grace);
        let former = self.function.memory.last_resort(self.basis.hash, lead, limit, |entry| {
            self.function.may_linger(self.kind, &entry.value).then(|| Former {
                out: self.kind.serve(&entry.value),
                about: Arc::clone(&entry.about),
                expires: entry.expires,
                stamp: entry.valid_at(),
                arrival: None,
            })
        });
        former.flatten()
    }

    /// Found in another tier before this began. It is kept in memory from here on, with what is known of
    /// attempts to replace it.
    fn beyond_memory(&self, overdue: &Overdue<Kd::Kept>) -> Option<Former<Kd>> {
        let Overdue { loaded: Loaded { value, about, expires, .. }, stamp } = overdue;
        let is_late = self.time().now().since(*expires) >= self.function.site.options.grace;
        let is_valid = || self.function.home.versions.check(about, *stamp).is_some();
        if is_late || !is_valid() || !about.files_hold() {
            return None;
        }
        let out = self.kind.serve(value);
        let arrival = self.kind.keep(&out).map(|value| (value, *expires));
        let about = Arc::new(about.clone());
        Some(Former { out, about, expires: *expires, stamp: *stamp, arrival })
    }

    /// Gives back what is fresh, and keeps what is not for later.
    pub(super) fn set_aside(
        &mut self,
        loaded: Loaded<Kd::Kept>,
        stamp: Stamp,
    ) -> Option<Loaded<Kd::Kept>> {
        self.overdue = None;
        if loaded.expires > self.time().now() {
            return Some(loaded);
        }
        if self.function.may_linger(self.kind, &loaded.value) {
            self.offer(&loaded, stamp);
            self.overdue = Some(Box::new(Overdue { loaded, stamp }));
        }
        None
    }

    /// Offers what is stale to callers of this process.
    fn offer(&self, loaded: &Loaded<Kd::Kept>, stamp: Stamp) {
        let Claim::Lead(lead) = &self.claim else { return };
        if self.time().now().since(loaded.expires) >= self.function.site.options.stale {
            return;
        }
        let shared = self.kind.share(&self.kind.serve(&loaded.value)).map(Arc::new);
        let about = Arc::new(loaded.about.clone());
        lead.flight.offer(lead.term, Landing { shared, stamp, expires: loaded.expires, about });
    }

    /// Whether there is a value that may be served while another process computes it anew.
    #[cfg(feature = "redis")]
    pub(super) fn is_stale_at_hand(&self) -> bool {
        let late = |it: &Overdue<_>| self.time().now().since(it.loaded.expires);
        let stale = self.function.site.options.stale;
        self.overdue.as_ref().is_some_and(|it| late(it) < stale)
    }

    /// Takes it.
    #[cfg(feature = "redis")]
    pub(super) fn take_stale(&mut self) -> Option<Loaded<Kd::Kept>> {
        let is_at_hand = self.is_stale_at_hand();
        self.overdue.take_if(|_| is_at_hand).map(|it| it.loaded)
    }
}
