//! A computation carried out: run inside its frame, then stored, shared and handed on.
//!
//! 1. Dropped before it is finished, it is given up to whoever waits for it (F1).
//! 2. What needs more of the surroundings than the function's key says is neither stored nor handed
//!    to anyone who waited (C6).
//! 3. What it was found to depend on goes to the computation it is part of, stored or not (V7).

use crate::clock::{Moment, TimeSource};
use crate::context::{self, Inside, Surroundings};
use crate::entry::{About, Marks, Stamp};
use crate::flight::Landing;
use crate::frame::{Found, Frame};
use crate::function::FunctionFor;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::site::FunctionOptions;
use crate::tier::memory::{Arrival, Lead};
use crate::verdict::Verdict;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What is known of a value before it is computed.
#[derive(Default)]
pub(crate) struct Basis {
    pub(crate) hash: u64,
    pub(crate) marks: Marks,
    pub(crate) readable: Option<Box<str>>,
    /// The clock when the call arrived.
    pub(crate) arrival: Stamp,
}

/// A computation that this call carries out.
///
/// Dropped before it is finished, it is given up to whoever waits for it.
pub(crate) struct Work<K: OwnedKey, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    kind: Kd,
    basis: Basis,
    claim: Claim<K, Kd::Shared>,
    frame: Arc<Frame>,
    inside: Arc<Surroundings>,
    started: Duration,
    /// The caller's computation knows what this depends on.
    told: bool,
}

/// By what right a computation stores what it finds.
pub(crate) enum Claim<K, S> {
    Lead(Lead<S>),
    Alone {
        /// Nothing if it may not be stored.
        key: Option<K>,
        stamp: Stamp,
    },
    /// By none any more: the flight has landed.
    Landed,
}

impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    pub(crate) fn begin(
        function: Arc<FunctionFor<K, Kd>>,
        kind: Kd,
        basis: Basis,
        claim: Claim<K, Kd::Shared>,
    ) -> Self {
        let surroundings = context::current().as_deref().cloned().unwrap_or_default();
        let flight = match &claim {
            Claim::Lead(lead) => Some(lead.flight.id),
            Claim::Alone { .. } | Claim::Landed => None,
        };
        let frame = Arc::new(Frame::new(function.home.id, surroundings.frame.clone(), flight));
        let inside = Surroundings { frame: Some(Arc::clone(&frame)), ..surroundings };
        let started = function.home.time.precise();
        Self { function, kind, basis, claim, frame, inside: Arc::new(inside), started, told: false }
    }

    pub(crate) fn run(&self, body: impl FnOnce() -> Kd::Out) -> Kd::Out {
        context::inside(Arc::clone(&self.inside), body)
    }

    /// Boxed, so that the caller's future stays small and may contain itself.
    pub(crate) fn drive<Fut: Future<Output = Kd::Out>>(&self, body: Fut) -> Pin<Box<Inside<Fut>>> {
        Box::pin(Inside::new(body, Some(Arc::clone(&self.inside))))
    }

    /// Stores what was computed, hands it to those who wait, and returns it.
    pub(crate) fn finish(self, out: Kd::Out, verdict: Verdict) -> Kd::Out {
        self.count(&out);
        self.place(out, verdict)
    }

    /// The same for a value that no body computed.
    pub(crate) fn place(mut self, out: Kd::Out, verdict: Verdict) -> Kd::Out {
        let found = self.frame.close();
        let needs = found.needs;
        let keyed = self.function.site.options.keyed;
        let options = &self.function.site.options;
        let expires = expiry(options, self.time(), self.kind, &out, &verdict).min(found.expires);
        let keep = verdict.keep;
        let about = Arc::new(self.about(found, verdict));
        let shareable = keyed.covers(needs);
        if !shareable {
            self.function.counters.bypasses_tenant.add(1);
        } else if about.unbounded {
            self.function.counters.bypasses_dependencies.add(1);
        }
        let keep = keep && shareable && !about.unbounded && expires > about.born;
        let arrival = keep.then(|| self.kind.keep(&out)).flatten().map(|value| (value, expires));
        self.land(&about, arrival, expires, |kind| {
            shareable.then(|| kind.share(&out)).flatten().map(Arc::new)
        });
        if let Some(caller) = self.frame.caller() {
            caller.inherit(self.function.home.id, &about, expires, needs | keyed);
        }
        self.told = true;
        out
    }

    fn count(&self, out: &Kd::Out) {
        let counters = &self.function.counters;
        let spent = self.time().precise().saturating_sub(self.started);
        counters.computations.add(1);
        counters.computation_time.record(spent);
        if self.kind.is_failure(out) {
            counters.failures.add(1);
        }
    }

    fn time(&self) -> &TimeSource {
        &self.function.home.time
    }

    fn about(&mut self, found: Found, verdict: Verdict) -> About {
        let mut marks = mem::take(&mut self.basis.marks);
        marks.extend(verdict.tags);
        let mut about = About {
            marks,
            readable: self.basis.readable.take(),
            inherited: Vec::new(),
            unbounded: false,
            born: self.time().now(),
            weight: verdict.weight,
        };
        found.complete(&mut about);
        about
    }

    /// Puts the value where the claim allows, and lands the flight.
    fn land(
        &mut self,
        about: &Arc<About>,
        arrival: Option<Arrival<Kd::Kept>>,
        expires: Moment,
        share: impl FnOnce(Kd) -> Option<Arc<Kd::Shared>>,
    ) {
        let memory = &self.function.memory;
        match &mut self.claim {
            Claim::Lead(lead) => {
                memory.land(self.basis.hash, lead, about, arrival);
                let shared = if lead.flight.has_followers() { share(self.kind) } else { None };
                let (stamp, about) = (lead.stamp, Arc::clone(about));
                lead.flight.land(lead.term, Landing { shared, stamp, expires, about });
                self.claim = Claim::Landed;
            }
            Claim::Alone { key, stamp } => {
                if let (Some(key), Some(arrival)) = (key.take(), arrival) {
                    memory.store(self.basis.hash, key, *stamp, about, arrival);
                }
            }
            Claim::Landed => unreachable!("a computation finishes once"),
        }
    }
}

/// When a value computed now expires by itself.
pub(crate) fn expiry<Kd: Kind>(
    options: &FunctionOptions,
    time: &TimeSource,
    kind: Kd,
    out: &Kd::Out,
    verdict: &Verdict,
) -> Moment {
    let negative = options.negative.filter(|_| kind.is_negative(out));
    let ttl = negative.or(verdict.ttl).or(options.ttl);
    ttl.map_or(Moment::NEVER, |ttl| time.now().after(ttl))
}

impl<K: OwnedKey, Kd: Kind> Drop for Work<K, Kd> {
    fn drop(&mut self) {
        if !self.told {
            // It came to no value, and the caller may make something of that.
            let found = self.frame.close();
            let (expires, needs) = (found.expires, found.needs);
            let about = Arc::new(self.about(found, Verdict::new()));
            if let Some(caller) = self.frame.caller() {
                let keyed = self.function.site.options.keyed;
                caller.inherit(self.function.home.id, &about, expires, needs | keyed);
            }
        }
        match &self.claim {
            Claim::Lead(lead) => self.function.memory.abandon(self.basis.hash, lead),
            Claim::Alone { stamp, .. } => self.function.memory.end_alone(*stamp),
            Claim::Landed => {}
        }
    }
}
