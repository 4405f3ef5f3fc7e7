//! A call on its way to a value: to compute it, or to wait for whoever does (F1, F2).

use crate::clock::{Moment, TimeSource};
use crate::context::{self, Inside, Surroundings};
use crate::entry::{About, Marks, Stamp};
use crate::flight::{Follower, Landing, Waited};
use crate::frame::{Found, Frame};
use crate::function::FunctionFor;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::tier::memory::{Arrival, Begun, Lead};
use crate::verdict::Verdict;
use crate::waits::{Waiting, Waits};
use std::future::Future;
use std::mem;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static WAITS: LazyLock<Waits> = LazyLock::new(Waits::default);

/// What is known of a value before it is computed.
pub(crate) struct Basis {
    pub(crate) hash: u64,
    pub(crate) marks: Marks,
    pub(crate) readable: Option<Box<str>>,
    /// The clock when the call arrived.
    pub(crate) arrival: Stamp,
}

/// A call that missed.
pub(crate) struct Quest<K, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    kind: Kd,
    basis: Basis,
    /// Taken by the flight that is begun with it.
    key: Option<K>,
    next: Next<Kd>,
}

/// What is to be done next.
enum Next<Kd: Kind> {
    Begin,
    Serve(Kd::Out),
    Lead(Lead<Kd::Shared>),
    /// Compute, whoever else does: what they find can't be shared.
    ComputeAlone,
}

/// What a call is to do.
pub(crate) enum Step<K: OwnedKey, Kd: Kind> {
    Serve(Kd::Out),
    Work(Work<K, Kd>),
    Wait(Waiter<Kd::Shared>),
}

/// A place among those who wait, and what keeps circles from closing meanwhile.
pub(crate) struct Waiter<S> {
    follower: Follower<S>,
    _waiting: Waiting<'static>,
}

impl<K: OwnedKey, Kd: Kind> Quest<K, Kd> {
    pub(crate) fn new(function: Arc<FunctionFor<K, Kd>>, kind: Kd, basis: Basis, key: K) -> Self {
        Self { function, kind, basis, key: Some(key), next: Next::Begin }
    }

    /// The same, but computed whatever is cached or in flight.
    pub(crate) fn anew(mut self) -> Self {
        self.next = Next::ComputeAlone;
        self
    }

    /// Makes room for a value that comes from elsewhere: nothing that began before survives it.
    pub(crate) fn put(mut self) -> Work<K, Kd> {
        self.function.runtime.record_mark(self.basis.marks[0]);
        self.alone(true)
    }

    /// Takes the next step that needs no waiting.
    pub(crate) fn step(&mut self) -> Step<K, Kd> {
        match mem::replace(&mut self.next, Next::Begin) {
            Next::Serve(out) => Step::Serve(out),
            Next::Lead(lead) => Step::Work(self.lead(lead)),
            Next::ComputeAlone => Step::Work(self.alone(true)),
            Next::Begin => self.begin(),
        }
    }

    fn begin(&mut self) -> Step<K, Kd> {
        let function = Arc::clone(&self.function);
        let frame = context::frame();
        let begun = function.memory.begin(
            self.basis.hash,
            &mut self.key,
            &function.runtime.inner.time,
            &self.basis.marks,
            |entry| function.hand_out(self.kind, entry, frame.as_deref()),
        );
        match begun {
            Begun::Found(out) => Step::Serve(out),
            Begun::Lead(lead) => Step::Work(self.lead(lead)),
            Begun::Follow(follower) => {
                let inside = frame.map(|frame| frame.flights()).unwrap_or_default();
                match WAITS.begin(inside, follower.flight.id) {
                    Some(waiting) => Step::Wait(Waiter { follower, _waiting: waiting }),
                    None => Step::Work(self.alone(false)),
                }
            }
        }
    }

    /// Waits for a flight, and finds out what is to be done next.
    pub(crate) async fn wait(&mut self, waiter: Waiter<Kd::Shared>) {
        let patience = self.function.site.options.wait;
        let versions = &self.function.runtime.inner.versions;
        let outcome = waiter.follower.wait(versions, self.time(), patience).await;
        self.next = match outcome {
            Waited::Landed(landing) => self.take(&landing),
            Waited::TakenOver(term, stamp) => {
                self.function.counters.takeovers.add(1);
                let flight = Arc::clone(&waiter.follower.flight);
                Next::Lead(Lead { flight, term, stamp })
            }
        };
    }

    /// Takes what a leader found, if it is good enough (V6).
    fn take(&self, landing: &Landing<Kd::Shared>) -> Next<Kd> {
        let counters = &self.function.counters;
        if !self.function.memory.accepts(landing, self.basis.arrival) {
            counters.refused_joins.add(1);
            return Next::Begin;
        }
        let Some(shared) = &landing.shared else { return Next::ComputeAlone };
        counters.joins.add(1);
        if let Some(frame) = context::frame() {
            let keyed = self.function.site.options.keyed;
            frame.inherit(&landing.about, landing.expires, keyed);
        }
        Next::Serve(self.kind.open(shared))
    }

    fn time(&self) -> &TimeSource {
        &self.function.runtime.inner.time
    }

    fn lead(&mut self, lead: Lead<Kd::Shared>) -> Work<K, Kd> {
        self.work(Claim::Lead(lead))
    }

    /// A computation that nobody waits for; `stored` if it may still be kept.
    fn alone(&mut self, stored: bool) -> Work<K, Kd> {
        let stamp = self.function.memory.begin_alone();
        let key = if stored { self.key.take() } else { None };
        self.work(Claim::Alone { key, stamp })
    }

    fn work(&mut self, claim: Claim<K, Kd::Shared>) -> Work<K, Kd> {
        let surroundings = context::current().as_deref().cloned().unwrap_or_default();
        let flight = match &claim {
            Claim::Lead(lead) => Some(lead.flight.id),
            Claim::Alone { .. } | Claim::Landed => None,
        };
        let frame = Arc::new(Frame::new(surroundings.frame.clone(), flight));
        let inside = Surroundings { frame: Some(Arc::clone(&frame)), ..surroundings };
        Work {
            function: Arc::clone(&self.function),
            kind: self.kind,
            hash: self.basis.hash,
            marks: mem::take(&mut self.basis.marks),
            readable: self.basis.readable.take(),
            claim,
            frame,
            inside: Arc::new(inside),
            started: self.time().precise(),
        }
    }
}

/// A computation that this call carries out.
///
/// Dropped before it is finished, it is given up to whoever waits for it.
pub(crate) struct Work<K: OwnedKey, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    kind: Kd,
    hash: u64,
    marks: Marks,
    readable: Option<Box<str>>,
    claim: Claim<K, Kd::Shared>,
    frame: Arc<Frame>,
    inside: Arc<Surroundings>,
    started: Duration,
}

/// By what right a computation stores what it finds.
enum Claim<K, S> {
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
    pub(crate) fn run(&self, body: impl FnOnce() -> Kd::Out) -> Kd::Out {
        context::inside(Arc::clone(&self.inside), body)
    }

    /// Boxed, so that the caller's future stays small and may contain itself.
    pub(crate) fn drive<Fut: Future<Output = Kd::Out>>(
        &self,
        body: Fut,
    ) -> std::pin::Pin<Box<Inside<Fut>>> {
        Box::pin(Inside::new(body, Some(Arc::clone(&self.inside))))
    }

    /// Stores what was computed, hands it to those who wait, and returns it.
    pub(crate) fn finish(
        mut self,
        out: Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Kd::Out {
        self.count(&out);
        let verdict = judge(&out);
        let found = self.frame.close();
        let needs = found.needs;
        let keyed = self.function.site.options.keyed;
        let expires = self.expiry(&out, &verdict).min(found.expires);
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
            caller.inherit(&about, expires, needs | keyed);
        }
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
        &self.function.runtime.inner.time
    }

    /// When a value computed now expires by itself.
    fn expiry(&self, out: &Kd::Out, verdict: &Verdict) -> Moment {
        let options = &self.function.site.options;
        let negative = options.negative.filter(|_| self.kind.is_negative(out));
        let ttl = negative.or(verdict.ttl).or(options.ttl);
        ttl.map_or(Moment::NEVER, |ttl| self.time().now().after(ttl))
    }

    fn about(&mut self, found: Found, verdict: Verdict) -> About {
        let mut marks = mem::take(&mut self.marks);
        marks.extend(verdict.tags);
        found.complete(About {
            marks,
            readable: self.readable.take(),
            inherited: Vec::new(),
            unbounded: false,
            born: self.time().now(),
            weight: verdict.weight,
        })
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
                memory.land(self.hash, lead, about, arrival);
                let shared = if lead.flight.has_followers() { share(self.kind) } else { None };
                let (stamp, about) = (lead.stamp, Arc::clone(about));
                lead.flight.land(lead.term, Landing { shared, stamp, expires, about });
                self.claim = Claim::Landed;
            }
            Claim::Alone { key, stamp } => {
                if let (Some(key), Some(arrival)) = (key.take(), arrival) {
                    memory.store(self.hash, key, *stamp, about, arrival);
                }
            }
            Claim::Landed => unreachable!("a computation finishes once"),
        }
    }
}

impl<K: OwnedKey, Kd: Kind> Drop for Work<K, Kd> {
    fn drop(&mut self) {
        match &self.claim {
            Claim::Lead(lead) => self.function.memory.abandon(self.hash, lead),
            Claim::Alone { stamp, .. } => self.function.memory.end_alone(*stamp),
            Claim::Landed => {}
        }
    }
}
