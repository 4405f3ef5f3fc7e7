//! A computation carried out: run inside its frame, then stored, shared and handed on.
//!
//! 1. Dropped before it is finished, it is given up to whoever waits for it (F1).
//! 2. What needs more of the surroundings than the function's key says is neither stored nor handed
//!    to anyone who waited (C6).
//! 3. What it was found to depend on goes to the computation it is part of, stored or not (V7).

use crate::clock::{self, Moment, TimeSource};
use crate::context::{self, Inside, Surroundings};
use crate::entry::{About, Marks, Stamp};
use crate::files::Files;
use crate::flight::Landing;
use crate::frame::{Found, Frame};
use crate::function::FunctionFor;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::site::FunctionOptions;
use crate::stored::{Address, Delivery, Keep, Lease, Leased, Loaded, MachineStamp, Stored};
use crate::tier::memory::{Arrival, Lead};
use crate::verdict::Verdict;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a look at what another process computes is waited with, at first and at last.
const SHORTEST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(4);
const _: () = assert!(LONGEST_PAUSE.as_millis() < 5, "who waits for another process loses little");

/// What is known of a value before it is computed.
#[derive(Default)]
pub(crate) struct Basis {
    pub(crate) hash: u64,
    pub(crate) marks: Marks,
    pub(crate) readable: Option<Box<str>>,
    /// The files that arguments name.
    pub(crate) files: Option<Files>,
    /// Where it is kept beyond memory, if it is.
    pub(crate) address: Option<Address>,
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
    heard: Heard,
    lease: Option<Lease>,
    /// The caller's computation knows what this depends on.
    told: bool,
}

/// What a computation heard of the machine as it began.
#[derive(Clone, Copy)]
enum Heard {
    /// Its function is kept in this process alone.
    NotAsked,
    /// What is computed now is not for keeping.
    Nothing,
    Clock(MachineStamp),
}

impl Heard {
    fn by<V>(stored: Option<&Stored<V>>) -> Self {
        stored.map_or(Self::NotAsked, |stored| stored.stamp().map_or(Self::Nothing, Self::Clock))
    }
}

/// A value on its way to its caller, and the end of its way to the tiers that are waited for.
pub(crate) struct Finished<Out> {
    pub(crate) out: Out,
    pub(crate) arrival: Option<Delivery>,
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
        let frame = Arc::new(Frame::new(
            function.home.id,
            surroundings.frame.clone(),
            flight,
            function.stored.is_some(),
        ));
        let inside = Surroundings { frame: Some(Arc::clone(&frame)), ..surroundings };
        let started = function.home.time.precise();
        let heard = Heard::by(function.stored.as_ref());
        let inside = Arc::new(inside);
        let (lease, told) = (None, false);
        Self { function, kind, basis, claim, frame, inside, started, heard, lease, told }
    }

    /// Whether another process may be computing the same.
    pub(crate) fn is_shared(&self) -> bool {
        self.basis.address.is_some() && matches!(self.claim, Claim::Lead(_))
    }

    /// Waits for another process that computes the same, and takes what that finds (F3). Nothing if
    /// this one is to compute.
    ///
    /// # Cancellation
    ///
    /// Safe to drop: another caller takes over.
    pub(crate) async fn consult(&mut self) -> Option<Kd::Out> {
        let function = Arc::clone(&self.function);
        let (stored, address) = (function.stored.as_ref()?, self.basis.address.take()?);
        let found = self.consult_about(stored, &address).await;
        let out = found.map(|loaded| self.adopt(&address, loaded));
        self.basis.address = Some(address);
        self.heard = Heard::by(Some(stored));
        self.started = self.time().precise();
        out
    }

    async fn consult_about(
        &mut self,
        stored: &Stored<Kd::Kept>,
        address: &Address,
    ) -> Option<Loaded<Kd::Kept>> {
        let begun = Instant::now();
        let mut pause = SHORTEST_PAUSE;
        loop {
            match stored.lease(address) {
                Leased::Taken(lease) => {
                    self.lease = Some(lease);
                    // What its last holder found may be there by now.
                    return stored.find_latest(address).ok();
                }
                Leased::Unavailable => return None,
                // Inside another computation it might wait for itself (F2).
                Leased::Held if self.frame.caller().is_some() => return None,
                Leased::Held if begun.elapsed() >= self.function.site.options.wait => return None,
                Leased::Held => {}
            }
            clock::pause(pause).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
            stored.hear();
            if let Ok(loaded) = stored.find_latest(address) {
                return Some(loaded);
            }
        }
    }

    /// Takes what another process computed.
    fn adopt(&mut self, address: &Address, loaded: Loaded<Kd::Kept>) -> Kd::Out {
        let function = Arc::clone(&self.function);
        let Loaded { value, mut about, expires } = loaded;
        function.counters.joins_l2.add(1);
        about.marks = function.reorder(address, &about.marks);
        let about = Arc::new(about);
        let out = self.kind.serve(&value);
        let in_memory = function.expires_in_memory(expires);
        let arrival = function.in_memory.then_some((value, in_memory));
        self.land(&about, arrival, expires, |kind| kind.share(&out).map(Arc::new));
        if let Some(caller) = self.frame.caller() {
            caller.inherit(function.home.id, &about, expires, function.site.options.keyed);
        }
        self.told = true;
        out
    }

    pub(crate) fn run(&self, body: impl FnOnce() -> Kd::Out) -> Kd::Out {
        context::inside(Arc::clone(&self.inside), body)
    }

    /// Boxed, so that the caller's future stays small and may contain itself.
    pub(crate) fn drive<Fut: Future<Output = Kd::Out>>(&self, body: Fut) -> Pin<Box<Inside<Fut>>> {
        Box::pin(Inside::new(body, Some(Arc::clone(&self.inside))))
    }

    /// Stores what was computed, hands it to those who wait, and returns it.
    pub(crate) fn finish(self, out: Kd::Out, verdict: Verdict) -> Finished<Kd::Out> {
        self.count(&out);
        self.place(out, verdict)
    }

    /// The same for a value that no body computed.
    pub(crate) fn place(mut self, out: Kd::Out, verdict: Verdict) -> Finished<Kd::Out> {
        if let Some(stored) = &self.function.stored {
            // What was invalidated elsewhere meanwhile overtakes this here, too.
            stored.hear();
        }
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
        let value = keep.then(|| self.kind.keep(&out)).flatten();
        let delivery = value.as_ref().and_then(|value| self.store(value, &about, expires));
        let in_memory = self.function.expires_in_memory(expires);
        let value = value.filter(|_| self.function.in_memory && !self.is_unheard());
        let arrival = value.map(|value| (value, in_memory));
        self.land(&about, arrival, expires, |kind| {
            shareable.then(|| kind.share(&out)).flatten().map(Arc::new)
        });
        if let Some(caller) = self.frame.caller() {
            caller.inherit(self.function.home.id, &about, expires, needs | keyed);
        }
        self.told = true;
        let waited_for = options.write_through;
        Finished { out, arrival: delivery.filter(|_| waited_for) }
    }

    /// Whether the machine could not be heard when this began.
    fn is_unheard(&self) -> bool {
        matches!(self.heard, Heard::Nothing)
    }

    /// Gives a value to the tiers beyond memory.
    fn store(&mut self, value: &Kd::Kept, about: &About, expires: Moment) -> Option<Delivery> {
        let stored = self.function.stored.as_ref()?;
        if self.is_unheard() {
            self.function.counters.degraded.add(1);
        }
        let (Some(address), Heard::Clock(stamp)) = (&self.basis.address, self.heard) else {
            return None;
        };
        let lease = self.lease.take();
        Some(stored.keep(Keep { address, value, about, expires, stamp, lease }))
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

    /// The clock as it was when this began.
    fn since(&self) -> Stamp {
        match &self.claim {
            Claim::Lead(lead) => lead.stamp,
            Claim::Alone { stamp, .. } => *stamp,
            Claim::Landed => Stamp::default(),
        }
    }

    fn about(&mut self, found: Found, verdict: Verdict) -> About {
        let mut marks = mem::take(&mut self.basis.marks);
        marks.extend(verdict.tags);
        let addressed = self.basis.address.is_some();
        let stand_in = self.function.stand_in.clone().filter(|_| !addressed);
        let mut about = About {
            marks,
            stand_in,
            since: self.since(),
            readable: self.basis.readable.take(),
            files: None,
            inherited: Vec::new(),
            unbounded: false,
            born: self.time().now(),
            weight: verdict.weight,
        };
        found.complete(&mut about);
        let callees = about.inherited.iter().filter_map(|it| it.files.clone());
        if self.basis.files.is_some() || callees.clone().next().is_some() {
            about.files = Files::together(self.basis.files.take(), callees);
        }
        about.unbounded |= about.files.as_ref().is_some_and(|files| files.is_unbounded());
        if self.function.stored.is_some() {
            // What it calls may be kept in memory alone, and be invalidated in another process.
            let callees = about.inherited.iter().filter_map(|it| it.stand_in.as_deref());
            let beyond: Marks = callees.flatten().copied().collect();
            about.marks.extend(beyond);
        }
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
    let ttl = negative.or(verdict.ttl).or(options.lifetime());
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
