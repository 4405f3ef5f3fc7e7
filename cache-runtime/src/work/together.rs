//! One body that computes several values: what it is found to depend on, all of them do.

use super::failure::Driven;
use super::{Claim, Work};
use crate::clock::{Moment, TimeSource};
use crate::context::{self, Inside, Surroundings};
use crate::entry::{About, Marks};
use crate::flight::FlightId;
use crate::frame::{Flights, Frame, Keyed};
use crate::key::OwnedKey;
use crate::options::Options;
use crate::outcome::Kind;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What surrounds such a body.
pub(crate) struct Together {
    /// The runtime of what is computed, and what its keys are made of.
    home: (u64, Keyed),
    frame: Arc<Frame>,
    /// Whether those who use what is computed are told of what was found.
    is_told: AtomicBool,
    inside: Arc<Surroundings>,
    time: TimeSource,
    is_caught: bool,
}

impl Together {
    /// Of computations that begin now, by a call whose other flights may not be waited for either.
    pub(crate) fn of<K: OwnedKey, Kd: Kind>(
        works: &mut [Box<Work<K, Kd>>],
        held: &[FlightId],
    ) -> Self {
        let first = works.first().expect("nothing is computed of nothing");
        let mut flights = Flights::with_capacity(works.len() + held.len());
        flights.extend(works.iter().filter_map(|work| work.flight()));
        flights.extend_from_slice(held);
        let (is_stored, time) = (first.function.stored.is_some(), &first.function.home.time);
        let time = time.clone();
        let caller = context::frame();
        let frame = Frame::new(first.function.home.id, caller, flights, is_stored).of_many();
        let frame = Arc::new(frame);
        #[cfg(feature = "redis")]
        if works.iter().any(|work| work.frame.is_shared()) {
            frame.share();
        }
        let around = context::current().as_deref().cloned().unwrap_or_default();
        let inside =
            Surroundings { frame: Some(Arc::clone(&frame)), options: Options::new(), ..around };
        let is_caught = works.iter().any(|work| work.is_graceful());
        let home = (first.function.home.id, first.function.site.options.keyed);
        // What is found from here on, each of them is found to depend on.
        for work in works {
            work.frame = Arc::clone(&frame);
            work.tell_run();
        }
        Self {
            home,
            time,
            frame,
            is_told: AtomicBool::new(false),
            inside: Arc::new(inside),
            is_caught,
        }
    }

    /// Runs what makes the body, or is it.
    pub(crate) fn run<R>(&self, body: impl FnOnce() -> R) -> thread::Result<R> {
        let run = || context::inside(Arc::clone(&self.inside), body);
        if self.is_caught { catch_unwind(AssertUnwindSafe(run)) } else { Ok(run()) }
    }

    /// Runs a body that is a future.
    pub(crate) fn drive<F: Future>(&self, body: F) -> Driven<Inside<F>> {
        let body = Box::pin(Inside::new(body, Some(Arc::clone(&self.inside))));
        Driven { body, is_caught: self.is_caught }
    }

    /// Notes that all of them know.
    pub(crate) fn has_told(&self) {
        // Relaxed: it is dropped by who says so.
        self.is_told.store(true, Ordering::Relaxed);
    }

    /// Lets a computation that came along have a part in what was found.
    pub(crate) fn take_in<K: OwnedKey, Kd: Kind>(&self, work: &mut Work<K, Kd>) {
        work.frame = Arc::clone(&self.frame);
    }

    /// The time by which its computations are measured.
    pub(crate) fn precise(&self) -> Duration {
        self.time.precise()
    }
}

impl Drop for Together {
    /// It came to no value, and the caller may make something of that.
    fn drop(&mut self) {
        let Some(caller) = self.frame.caller().filter(|_| !self.is_told.load(Ordering::Relaxed))
        else {
            return;
        };
        let (home, keyed) = self.home;
        let found = self.frame.close();
        let (expires, needs) = (found.expires, found.needs);
        let mut about = About::of_bypassed(Marks::new(), None, Moment::NEVER);
        found.complete(&mut about);
        caller.inherit(home, &Arc::new(about), expires, needs | keyed);
    }
}

impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    pub(crate) fn flight(&self) -> Option<FlightId> {
        match &self.claim {
            Claim::Lead(lead) => Some(lead.flight.id),
            Claim::Alone { .. } | Claim::Extra { .. } | Claim::Landed => None,
        }
    }

    /// What is served in place of a value that could not be computed, if there is anything.
    pub(crate) fn give_in(&mut self) -> Option<Kd::Out> {
        let counters = &self.function.counters;
        counters.computations.add(1);
        counters.failures.add(1);
        self.tell_failure();
        match self.fall_back() {
            Some(super::Placed::Landed(finished)) => Some(finished.out),
            _ => None,
        }
    }
}
