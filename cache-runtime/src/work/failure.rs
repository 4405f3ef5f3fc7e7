//! What becomes of a computation that failed: what it was to replace may be served for a while longer.
//!
//! 1. What is served so keeps its time of birth, and its end. Nothing new is stored.
//! 2. What was invalidated meanwhile is not served: the failure is its caller's.

use super::{Claim, Finished, Placed, Renews, Work};
use crate::clock::{DRIFT, Moment};
use crate::entry::{About, Stamp};
use crate::error::Level;
use crate::flight::Landing;
use crate::key::OwnedKey;
use crate::limit;
use crate::lookup::Served;
use crate::outcome::Kind;
use crate::stored::{Address, Loaded, Stored};
use crate::tier::memory::Arrival;
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

/// What is served instead of a failure, or of what takes too long.
pub(crate) struct Former<Kd: Kind> {
    out: Kd::Out,
    about: Arc<About>,
    expires: Moment,
    stamp: Stamp,
    /// To be kept in memory, where it is not.
    arrival: Option<Arrival<Kd::Kept>>,
    /// Whether it is in memory, or will be.
    is_near: bool,
}

impl<V> Overdue<V> {
    /// Whether another process has computed it since something was.
    fn is_later_than(&self, other: &About) -> bool {
        self.loaded.about.born.since(other.born) > DRIFT
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

/// What a body comes to that is for all of these, or if it takes too long what may be served instead, if there
/// is something for each.
pub(crate) async fn in_time<K: OwnedKey, Kd: Kind, F: Future + Unpin>(
    mut body: F,
    works: &[Box<Work<K, Kd>>],
) -> Result<F::Output, Vec<Former<Kd>>> {
    let Some((first, left)) = works.first().and_then(|it| Some((it, it.time_left()?))) else {
        return Ok(body.await);
    };
    if let Some(ended) = Box::pin(limit::within(first.time(), left, &mut body)).await {
        return Ok(ended);
    }
    match works.iter().map(|work| work.way_out()).collect() {
        Some(formers) => Err(formers),
        None => Ok(body.await),
    }
}

impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    /// Whether a failure may not be the caller's.
    pub(super) fn is_graceful(&self) -> bool {
        let is_lenient = !self.function.site.options.grace.is_zero() || self.renews();
        is_lenient && matches!(self.claim, Claim::Lead(_))
    }

    /// Whether this is to replace what others are served meanwhile.
    pub(super) fn renews(&self) -> bool {
        self.basis.renews != Renews::Nothing
    }

    /// Whether what was found beyond memory need not be computed anew: its time is not over, nor near its
    /// end where another has begun to see to that.
    pub(super) fn is_news(&self, loaded: &Loaded<Kd::Kept>) -> bool {
        let now = self.time().now();
        let renewal = || self.function.renewal(&loaded.about, loaded.expires, None);
        loaded.expires > now && (!self.renews() || now < renewal().from)
    }

    /// Puts the next attempt to replace what is fresh off: this one came to nothing that may be kept.
    pub(super) fn put_off(&self) {
        if !self.renews() {
            return;
        }
        let grace = self.function.site.options.grace;
        if let Some(former) = self.in_memory(grace, |_| true) {
            self.note_failure(&former.about, true);
        } else if let Some(overdue) = &self.overdue {
            self.note_failure(&overdue.loaded.about, false);
        }
    }

    /// Takes note of a failed attempt to replace a value.
    fn note_failure(&self, former: &About, is_near: bool) {
        let (now, backoff) = (self.time().now(), self.function.home.backoff);
        match &self.basis.address {
            Some(address) if !is_near => {
                self.function.elsewhere.fail(address.mark(), former.born, (now, backoff));
            }
            _ => former.attempts.fail(now, backoff),
        }
    }

    /// Goes on after the body has panicked: with what was to be replaced, or with the panic.
    pub(crate) fn recover(mut self: Box<Self>, panic: Box<dyn Any + Send>) -> Placed<K, Kd> {
        self.tell_failure();
        self.fall_back().unwrap_or_else(|| {
            drop(self);
            resume_unwind(panic)
        })
    }

    /// Lands without a value, and without anything to hand on: whoever waits computes at once, each for itself.
    pub(crate) fn fail(&mut self) {
        // Who had it begun behind its call has a time to keep to, and goes on with it.
        if matches!(self.claim, Claim::Lead(_)) && !self.basis.is_charged {
            let about = self.tell_of_nothing();
            self.land(&about, None, Moment::NEVER, |_| None);
        }
    }

    /// Serves what was to be replaced, to all who wait, and puts the next attempt off. Nothing if there is
    /// nothing to serve.
    pub(super) fn fall_back(&mut self) -> Option<Placed<K, Kd>> {
        if !self.may_fall_back() {
            return None;
        }
        let former = self.former(self.function.site.options.grace)?;
        self.note_failure(&former.about, former.is_near);
        let out = self.serve(former, Served::Grace);
        Some(Placed::Landed(Finished { out, arrival: None }))
    }

    /// Serves what was to be replaced, to all who wait, because the body takes too long: it is dropped then,
    /// and the next attempt put off.
    pub(crate) fn drop_body(&mut self, former: Former<Kd>) -> Kd::Out {
        self.note_failure(&former.about, former.is_near);
        self.give_way(former)
    }

    /// What may be served where another value is not there in time.
    pub(super) fn way_out(&self) -> Option<Former<Kd>> {
        let may_serve = self.function.stored.as_ref().is_none_or(Stored::hear);
        may_serve.then(|| self.former(self.function.site.options.linger())).flatten()
    }

    /// Serves it, to all who wait.
    pub(super) fn give_way(&mut self, former: Former<Kd>) -> Kd::Out {
        self.function.counters.timeouts.add(1);
        let late = self.time().now().since(former.expires);
        let is_stale = late < self.function.site.options.stale;
        self.serve(former, if is_stale { Served::Stale } else { Served::Grace })
    }

    /// What was to be replaced, if its time has been over for so long at the most.
    fn former(&self, most: Duration) -> Option<Former<Kd>> {
        let here = self.in_memory(most, |_| true);
        let later = |it: &Former<Kd>, overdue: &Overdue<_>| overdue.is_later_than(&it.about);
        match (here, self.overdue.as_deref()) {
            (Some(here), Some(elsewhere)) if later(&here, elsewhere) => {
                Some(self.beyond_memory(most, elsewhere).unwrap_or(here))
            }
            (Some(here), _) => Some(here),
            (None, elsewhere) => self.beyond_memory(most, elsewhere?),
        }
    }

    /// Whether there is something to serve, and the next attempt to compute another is not due.
    pub(super) fn is_put_off(&self, address: &Address) -> bool {
        let Some(overdue) = self.overdue.as_deref().filter(|_| self.is_graceful()) else {
            return false;
        };
        let (now, grace) = (self.time().now(), self.function.site.options.grace);
        if self.function.in_memory {
            let former = self.in_memory(grace, |about| !about.attempts.is_due(now));
            if former.is_some() || self.basis.options.promotes(Level::L1) {
                return former.is_some_and(|it| !overdue.is_later_than(&it.about));
            }
        }
        let attempts = self.function.elsewhere.find(address.mark(), overdue.loaded.about.born);
        attempts.is_some_and(|attempts| !attempts.is_due(now))
    }

    /// Serves it where nobody has another, and the next attempt to compute one is not due.
    pub(super) fn go_without(&mut self) -> Option<Kd::Out> {
        if !self.may_fall_back() {
            return None;
        }
        let (now, grace) = (self.time().now(), self.function.site.options.grace);
        let near = self.in_memory(grace, |about| !about.attempts.is_due(now));
        let Some(former) = near else {
            if self.function.in_memory && self.basis.options.promotes(Level::L1) {
                return None;
            }
            let overdue = self.overdue.as_deref()?;
            let (key, born) = (self.basis.address.as_ref()?.mark(), overdue.loaded.about.born);
            let attempts = self.function.elsewhere.find(key, born);
            let former = attempts.filter(|attempts| !attempts.is_due(now));
            let former = former.and_then(|_| self.beyond_memory(grace, overdue))?;
            return Some(self.serve(former, Served::Grace));
        };
        let is_outdated = |it: &Overdue<_>| it.is_later_than(&former.about);
        if self.overdue.as_deref().is_some_and(is_outdated) {
            // Nothing is known of attempts to replace that.
            return None;
        }
        Some(self.serve(former, Served::Grace))
    }

    /// Whether something may be served instead. What was invalidated elsewhere meanwhile is not, nor what
    /// nobody vouches for.
    fn may_fall_back(&self) -> bool {
        self.is_graceful() && self.function.stored.as_ref().is_none_or(Stored::hear)
    }

    /// Serves a former value, to those who wait, too.
    fn serve(&mut self, former: Former<Kd>, why: Served) -> Kd::Out {
        let Former { out, about, expires, stamp, arrival, .. } = former;
        let function = Arc::clone(&self.function);
        let is_over = self.time().now() >= expires;
        self.overdue_as = Some(why).filter(|_| is_over);
        let is_served = match self.basis.renews {
            Renews::Behind => false,
            // It has been counted as a hit.
            Renews::InPlace => is_over,
            // Who waits for it counts.
            Renews::Nothing => !self.basis.is_charged,
        };
        if is_served {
            function.counters.overdue(why);
        }
        // What was found began before this did.
        if let Claim::Lead(lead) = &mut self.claim {
            lead.stamp = stamp;
            lead.flight.fall_back(lead.term);
        }
        self.land(&about, arrival, expires, |kind| kind.share(&out).map(Arc::new));
        self.frame.close();
        if let Some(caller) = self.frame.caller() {
            caller.inherit(function.home.id, &about, expires, function.site.options.keyed);
        }
        self.told = true;
        out
    }

    /// The entry in memory, if it may be served and is one that is asked for.
    fn in_memory(
        &self,
        most: Duration,
        is_meant: impl FnOnce(&About) -> bool,
    ) -> Option<Former<Kd>> {
        let Claim::Lead(lead) = &self.claim else { return None };
        if !self.basis.options.reaches(Level::L1) {
            return None;
        }
        let limit = (most, self.renews());
        let memory = &self.function.memory;
        let flight = (self.basis.hash, &lead.flight);
        memory.last_resort(flight, self.time(), limit, |entry, _| {
            let is_served =
                is_meant(&entry.about) && self.function.may_linger(self.kind, &entry.value);
            is_served.then(|| Former {
                out: self.kind.serve(&entry.value),
                about: Arc::clone(&entry.about),
                expires: entry.expires,
                stamp: entry.valid_at(),
                arrival: None,
                is_near: true,
            })
        })
    }

    /// Found in another tier before this began. Where the function keeps values in memory, it is kept there
    /// from here on, with what is known of attempts to replace it.
    fn beyond_memory(&self, most: Duration, overdue: &Overdue<Kd::Kept>) -> Option<Former<Kd>> {
        let Overdue { loaded: Loaded { value, about, expires, .. }, stamp } = overdue;
        let now = self.time().now();
        let is_fresh = now < *expires && self.renews();
        let is_late = !is_fresh && now.since(*expires) >= most;
        let is_valid = || self.function.home.versions.check(about, *stamp).is_some();
        if is_late || !is_valid() || !about.files_hold() {
            return None;
        }
        let (out, function) = (self.kind.serve(value), &self.function);
        let is_kept = function.in_memory && self.basis.options.promotes(Level::L1);
        let kept = is_kept.then(|| self.kind.keep(&out)).flatten();
        let arrival = kept.map(|value| (value, function.expires_in_memory(*expires)));
        let mut about = about.clone();
        if let Some(address) = self.basis.address.as_ref().filter(|_| function.in_memory) {
            about.marks = function.reorder(address, &about.marks);
        }
        about.renewal = function.renewal(&about, *expires, None);
        let (about, is_near) = (Arc::new(about), arrival.is_some());
        Some(Former { out, about, expires: *expires, stamp: *stamp, arrival, is_near })
    }

    /// Gives back what is fresh, and keeps what is not for later.
    pub(super) fn set_aside(
        &mut self,
        loaded: Loaded<Kd::Kept>,
        stamp: Stamp,
    ) -> Option<Loaded<Kd::Kept>> {
        self.overdue = None;
        if self.is_news(&loaded) {
            return Some(loaded);
        }
        // Files tell by themselves when a value is over.
        let is_over = loaded.expires <= self.time().now() && loaded.about.files.is_some();
        if !is_over && self.function.may_linger(self.kind, &loaded.value) {
            self.offer(&loaded, stamp);
            self.overdue = Some(Box::new(Overdue { loaded, stamp }));
        }
        None
    }

    /// Offers what is stale to callers of this process.
    fn offer(&self, loaded: &Loaded<Kd::Kept>, stamp: Stamp) {
        let Claim::Lead(lead) = &self.claim else { return };
        if self.time().now().since(loaded.expires) >= self.function.site.options.linger() {
            return;
        }
        let shared = self.kind.share(&self.kind.serve(&loaded.value)).map(Arc::new);
        let about = Arc::new(loaded.about.clone());
        lead.flight.offer(
            lead.term,
            Landing {
                shared,
                stamp,
                expires: loaded.expires,
                about,
                is_sent: false,
                overdue: None,
            },
        );
    }

    /// Whether there is a value that may be served while another process computes it anew.
    #[cfg(feature = "redis")]
    pub(super) fn is_stale_at_hand(&self) -> bool {
        let late = |it: &Overdue<_>| self.time().now().since(it.loaded.expires);
        let stale = self.function.site.options.stale;
        match self.basis.renews {
            Renews::Behind => false,
            Renews::InPlace => self.overdue.is_some(),
            Renews::Nothing => self.overdue.as_ref().is_some_and(|it| late(it) < stale),
        }
    }

    /// Takes it.
    #[cfg(feature = "redis")]
    pub(super) fn take_stale(&mut self) -> Option<Loaded<Kd::Kept>> {
        let is_at_hand = self.is_stale_at_hand();
        self.overdue.take_if(|_| is_at_hand).map(|it| it.loaded)
    }
}
