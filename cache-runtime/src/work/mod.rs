//! A computation carried out: run inside its frame, then stored, shared and handed on.
//!
//! 1. Dropped before it is finished, it is given up to whoever waits for it (F1).
//! 2. What needs more of the surroundings than the function's key says is neither stored nor handed
//!    to anyone who waited (C6).
//! 3. What it was found to depend on goes to the computation it is part of, stored or not (V7).

mod consult;
mod extra;
mod failure;
#[cfg_attr(not(feature = "redis"), path = "fleetless.rs")]
mod fleet;
mod together;

pub(crate) use self::consult::Consulted;
pub(crate) use self::extra::Before;
pub(crate) use self::failure::in_time;
use self::failure::{Driven, Overdue};
use self::fleet::Fleet;
#[cfg(feature = "redis")]
pub(crate) use self::fleet::Glanced;
pub(crate) use self::together::Together;
use crate::ask::Ran;
use crate::attempts::Attempts;
use crate::clock::{Moment, TimeSource};
use crate::context::{self, Inside, Surroundings};
use crate::entry::{About, Marks, Stamp};
use crate::error::Level;
use crate::files::Files;
use crate::flight::{FlightId, Landing};
use crate::frame::{Flights, Found, Frame, Keyed};
use crate::function::{Function, FunctionFor};
use crate::key::OwnedKey;
use crate::lookup::{Miss, Served};
use crate::mark::Mark;
use crate::options::Options;
use crate::outcome::{Kind, Value};
use crate::renewal::Renewal;
use crate::site::FunctionOptions;
use crate::stored::{Address, Consignment, Delivery, Heard, Keep, Lease, Packed, Stored};
use crate::tier::memory::{Arrival, Lead};
use crate::verdict::Verdict;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

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
    /// Why nothing was found, until that is counted.
    pub(crate) missed: Option<Miss>,
    /// When a former value will do, if there is one.
    pub(crate) hurry: Option<Moment>,
    /// Whether it is to replace what is still fresh, or was until it began.
    pub(crate) renews: Renews,
    /// Whether it is made in place of another call, which waits for it.
    pub(crate) is_charged: bool,
    /// To be told that the body runs, and if it fails.
    pub(crate) ran: Option<Arc<Ran>>,
    /// What the call may do with the cache.
    pub(crate) options: Options,
    /// What a look at the tier that machines share came to.
    #[cfg(feature = "redis")]
    pub(crate) glanced: Glanced,
}

/// On whose behalf a value is computed that is to replace another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Renews {
    /// Its caller's, as ever.
    #[default]
    Nothing,
    /// Nobody's, or that of those who wait.
    Behind,
    /// Its caller's, who could as well be served what there is.
    InPlace,
}

impl Basis {
    /// Takes note of why nothing was found beyond memory, unless it was only not there.
    #[cfg(feature = "redis")]
    pub(crate) fn blame(&mut self, why: Miss) {
        if why != Miss::Absent {
            self.missed = self.missed.map(|_| why);
        }
    }
}

/// A computation that this call carries out.
///
/// Dropped before it is finished, it is given up to whoever waits for it.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Work<K: OwnedKey, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    kind: Kd,
    basis: Basis,
    claim: Claim<K, Kd::Shared>,
    frame: Arc<Frame>,
    inside: Arc<Surroundings>,
    started: Duration,
    /// How long the body took.
    spent: Duration,
    heard: Heard,
    lease: Option<Lease>,
    /// What was found beyond memory, and is no longer fresh.
    overdue: Option<Box<Overdue<Kd::Kept>>>,
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no such tier"))]
    fleet: Fleet,
    /// The caller's computation knows what this depends on.
    told: bool,
    /// Whether it may wait for another process that computes the same.
    may_wait: bool,
    /// Whether one does, and is not waited for any longer.
    is_held: bool,
    /// Whether what it found was for where machines share it.
    is_sent: bool,
    /// Why what it found is served, if its time is over.
    overdue_as: Option<Served>,
}

/// What computations begin in: one alone, or those of a batch until its body runs.
#[derive(Clone)]
pub(crate) struct Room {
    frame: Arc<Frame>,
    inside: Arc<Surroundings>,
    /// When.
    started: Duration,
}

impl Room {
    /// What several begin in.
    pub(crate) fn of_many<K: OwnedKey, Kd: Kind>(function: &FunctionFor<K, Kd>) -> Self {
        Self::new(function, |caller| {
            Frame::new(function.home.id, caller, Flights::new(), function.stored.is_some())
                .of_many()
        })
    }

    fn of_one<K: OwnedKey, Kd: Kind>(function: &FunctionFor<K, Kd>, flights: Flights) -> Self {
        Self::new(function, |caller| {
            Frame::new(function.home.id, caller, flights, function.stored.is_some())
        })
    }

    fn new<K: OwnedKey, V: Value, S: Value>(
        function: &Function<K, V, S>,
        frame: impl FnOnce(Option<Arc<Frame>>) -> Frame,
    ) -> Self {
        let around = context::current().as_deref().cloned().unwrap_or_default();
        let frame = Arc::new(frame(around.frame.clone()));
        let inside =
            Surroundings { frame: Some(Arc::clone(&frame)), options: Options::new(), ..around };
        Self { frame, inside: Arc::new(inside), started: function.home.time.precise() }
    }
}

/// A value that was computed, and what is known of it.
struct Cargo<Kd: Kind> {
    out: Kd::Out,
    /// What may be kept of it.
    value: Option<Kd::Kept>,
    packed: Option<Packed>,
    about: Arc<About>,
    expires: Moment,
    /// Whether those who waited may have it.
    is_shareable: bool,
    needs: Keyed,
}

/// What becomes of a value.
pub(crate) enum Placed<K: OwnedKey, Kd: Kind> {
    Landed(Finished<Kd::Out>),
    OnItsWay(Box<OnItsWay<K, Kd>>),
}

/// A value on its way to the tier that machines share: only with the answer is it known what may be
/// kept of it here.
#[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no such tier"))]
pub(crate) struct OnItsWay<K: OwnedKey, Kd: Kind> {
    work: Box<Work<K, Kd>>,
    cargo: Cargo<Kd>,
    consignment: Consignment,
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
        /// Its place among the flights, though it is none.
        id: FlightId,
    },
    /// It came along with what another computation was asked for.
    Extra {
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
        room: Option<&Room>,
    ) -> Box<Self> {
        let flight = match &claim {
            Claim::Lead(lead) => Some(lead.flight.id),
            Claim::Alone { .. } | Claim::Extra { .. } | Claim::Landed => None,
        };
        let own = || Room::of_one::<K, Kd>(&function, flight.into_iter().collect());
        let Room { frame, inside, started } = room.cloned().unwrap_or_else(own);
        let heard = function.stored.as_ref().map_or(Heard::NotAsked, Stored::heard);
        let (lease, overdue, fleet, told) = (None, None, Fleet::NotAsked, false);
        Box::new(Self {
            function,
            kind,
            basis,
            claim,
            frame,
            inside,
            started,
            spent: Duration::ZERO,
            heard,
            lease,
            overdue,
            fleet,
            told,
            may_wait: true,
            is_held: false,
            is_sent: false,
            overdue_as: None,
        })
    }

    /// Whether a former value will do by now, if there is one.
    fn is_in_a_hurry(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }

    /// How long it is before a former value will do, where one may.
    fn time_left(&self) -> Option<Duration> {
        self.basis.hurry.map(|it| it.since(self.time().now()))
    }

    /// Runs the body. A panic is caught if something else may be served then.
    pub(crate) fn run(&self, body: impl FnOnce() -> Kd::Out) -> thread::Result<Kd::Out> {
        self.tell_run();
        let run = || context::inside(Arc::clone(&self.inside), body);
        // What the body leaves behind is its own matter, as with any panic that is caught.
        if self.is_graceful() { catch_unwind(AssertUnwindSafe(run)) } else { Ok(run()) }
    }

    /// The same for a future. Boxed, so that the caller's stays small and may contain itself.
    pub(crate) fn drive<Fut: Future<Output = Kd::Out>>(&self, body: Fut) -> Driven<Inside<Fut>> {
        self.tell_run();
        let body = Box::pin(Inside::new(body, Some(Arc::clone(&self.inside))));
        Driven { body, is_caught: self.is_graceful() }
    }

    fn tell_failure(&self) {
        if let Some(ran) = &self.basis.ran {
            ran.fail();
        }
    }

    fn tell_run(&self) {
        if let Some(ran) = &self.basis.ran {
            ran.begin();
        }
    }

    /// Stores what was computed, hands it to those who wait, and returns it.
    pub(crate) fn finish(
        self: Box<Self>,
        out: Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Placed<K, Kd> {
        let ended = self.time().precise();
        self.finish_by(ended, out, judge)
    }

    /// The same for what was there at a precise moment.
    pub(crate) fn finish_by(
        mut self: Box<Self>,
        ended: Duration,
        out: Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Placed<K, Kd> {
        self.spent = ended.saturating_sub(self.started);
        self.count(&out);
        if self.kind.is_failure(&out)
            && let Some(placed) = self.fall_back()
        {
            return placed;
        }
        let verdict = judge(&out);
        self.place(out, &verdict)
    }

    /// The same for a value that no body computed.
    pub(crate) fn place(mut self: Box<Self>, out: Kd::Out, verdict: &Verdict) -> Placed<K, Kd> {
        if let Some(stored) = &self.function.stored {
            // What was invalidated elsewhere meanwhile overtakes this here, too.
            stored.hear();
        }
        let found = self.frame.close();
        let needs = found.needs;
        let keyed = self.function.site.options.keyed;
        let options = &self.function.site.options;
        let said = self.basis.options.lifetime();
        let expires = expiry((options, said), self.time(), self.kind, &out, verdict);
        let expires = expires.min(found.expires);
        let keep = verdict.keep;
        let mut about = self.about(found, verdict);
        about.renewal = self.function.renewal(&about, expires, Some(self.spent));
        let is_shareable = keyed.covers(needs);
        if !is_shareable {
            self.function.counters.bypasses_tenant.add(1);
        } else if about.unbounded {
            self.function.counters.bypasses_dependencies.add(1);
        }
        let keep = keep && self.basis.options.stores();
        let keep = keep && is_shareable && !about.unbounded && expires > about.born;
        let value = keep.then(|| self.kind.keep(&out)).flatten();
        if value.is_none() {
            self.put_off();
        }
        // Also if it is known to be overtaken by now, and is not sent.
        let is_for_all = value.is_some() && self.is_granted();
        let packed = value.as_ref().filter(|_| self.may_leave());
        let packed = packed.and_then(|value| self.function.stored.as_ref()?.pack(value));
        let consignment = packed.as_ref().and_then(|it| self.consign(it, &mut about, expires));
        self.testify(&mut about);
        let about = Arc::new(about);
        let cargo = Cargo { out, value, packed, about, expires, is_shareable, needs };
        // What its caller keeps from there is nobody's to take unseen either.
        self.is_sent = is_for_all || !self.basis.options.stores();
        match consignment {
            Some(consignment) => {
                // Whoever waits no longer for its arrival makes something of that, too.
                self.tell(&cargo);
                Placed::OnItsWay(Box::new(OnItsWay { work: self, cargo, consignment }))
            }
            None => Placed::Landed(self.settle(cargo, false)),
        }
    }

    /// Lands the flight with what was found. `is_delivered` says that the tier which machines share
    /// has it.
    fn settle(&mut self, cargo: Cargo<Kd>, is_delivered: bool) -> Finished<Kd::Out> {
        self.tell(&cargo);
        let Cargo { out, value, packed, about, expires, is_shareable, .. } = cargo;
        // What machines share is kept on the disk of one only once they have it.
        let delivery = packed
            .filter(|_| is_delivered || !self.has_fleet())
            .filter(|_| self.basis.options.keeps(Level::L2))
            .and_then(|packed| self.store(&packed, &about, expires))
            .filter(|_| self.function.site.options.write_through);
        let in_memory = self.function.expires_in_memory(expires);
        let is_kept = self.keeps_in_memory() && !self.is_unheard() && self.permits(is_delivered);
        let arrival = value.filter(|_| is_kept).map(|value| (value, in_memory));
        self.land(&about, arrival, expires, |kind| {
            is_shareable.then(|| kind.share(&out)).flatten().map(Arc::new)
        });
        Finished { out, arrival: delivery }
    }

    /// Tells the computation that this is a part of what it depends on by a value.
    fn tell(&mut self, cargo: &Cargo<Kd>) {
        // Of what came along it makes nothing.
        if let Some(caller) = self.frame.caller().filter(|_| !self.told) {
            let keyed = self.function.site.options.keyed;
            let Cargo { about, expires, needs, .. } = cargo;
            caller.inherit(self.function.home.id, about, *expires, *needs | keyed);
        }
        self.told = true;
    }

    /// Tells it what this depends on that came to no value: it may make something of that.
    fn tell_of_nothing(&mut self) -> Arc<About> {
        let found = self.frame.close();
        let (expires, needs) = (found.expires, found.needs);
        let about = Arc::new(self.about(found, &Verdict::new()));
        if let Some(caller) = self.frame.caller() {
            let keyed = self.function.site.options.keyed;
            caller.inherit(self.function.home.id, &about, expires, needs | keyed);
        }
        self.told = true;
        about
    }

    /// Whether what is computed is kept in memory.
    fn keeps_in_memory(&self) -> bool {
        self.function.in_memory && self.basis.options.keeps(Level::L1)
    }

    /// Whether the machine could not be heard when this began.
    fn is_unheard(&self) -> bool {
        matches!(self.heard, Heard::Nothing)
    }

    /// Gives a value to this machine's disk.
    fn store(&mut self, packed: &Packed, about: &About, expires: Moment) -> Option<Delivery> {
        let stored = self.function.stored.as_ref()?;
        if self.is_unheard() {
            self.function.counters.degraded.add(1);
        }
        let (Some(address), Heard::Clock(stamp)) = (&self.basis.address, self.heard) else {
            return None;
        };
        let lease = self.lease.take();
        stored.keep(Keep { address, packed, about, expires, stamp, lease })
    }

    fn count(&self, out: &Kd::Out) {
        let counters = &self.function.counters;
        counters.computations.add(1);
        counters.computation_time.record(self.spent);
        if self.kind.is_failure(out) {
            counters.failures.add(1);
            self.tell_failure();
        }
    }

    fn time(&self) -> &TimeSource {
        &self.function.home.time
    }

    /// The clock as it was when this began.
    fn since(&self) -> Stamp {
        match &self.claim {
            Claim::Lead(lead) => lead.stamp,
            Claim::Alone { stamp, .. } | Claim::Extra { stamp, .. } => *stamp,
            Claim::Landed => Stamp::default(),
        }
    }

    /// Its place in the order in which computations begin.
    fn began(&self) -> u64 {
        match &self.claim {
            Claim::Lead(lead) => lead.flight.began(),
            Claim::Alone { id, .. } => id.number(),
            Claim::Extra { .. } | Claim::Landed => 0,
        }
    }

    /// What stands for key and function beyond this process, where the marks don't.
    fn stand_in(&self) -> Option<&Arc<[Mark; 2]>> {
        self.function.stand_in.as_ref().filter(|_| self.basis.address.is_none())
    }

    fn about(&mut self, found: Found, verdict: &Verdict) -> About {
        let mut marks = mem::take(&mut self.basis.marks);
        for tag in &verdict.tags {
            marks.push(*tag);
        }
        let stand_in = self.stand_in().cloned();
        let mut about = About {
            marks,
            stand_in,
            since: self.since(),
            began: self.began(),
            readable: self.basis.readable.take(),
            captured: None,
            files: None,
            inherited: Vec::new(),
            unbounded: false,
            born: self.time().now(),
            weight: verdict.weight,
            attempts: Attempts::default(),
            renewal: Renewal::default(),
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
                let time = &self.function.home.time;
                memory.land(self.basis.hash, lead, about, arrival, time);
                let shared = if lead.flight.has_followers() { share(self.kind) } else { None };
                let (stamp, about) = (lead.stamp, Arc::clone(about));
                let (is_sent, overdue) = (self.is_sent, self.overdue_as);
                let landing = Landing { shared, stamp, expires, about, is_sent, overdue };
                lead.flight.land(lead.term, landing);
                self.claim = Claim::Landed;
            }
            Claim::Alone { key, stamp, .. } => {
                if let (Some(key), Some(arrival)) = (key.take(), arrival) {
                    memory.store(self.basis.hash, key, *stamp, about, arrival);
                }
            }
            Claim::Extra { key, stamp } => {
                if let (Some(key), Some(arrival)) = (key.take(), arrival) {
                    let time = &self.function.home.time;
                    memory.promote(self.basis.hash, key, *stamp, about, arrival, time);
                }
            }
            Claim::Landed => unreachable!("a computation finishes once"),
        }
    }
}

/// When a value computed now expires by itself, of a function and, where that says something of it, of a
/// call.
pub(crate) fn expiry<Kd: Kind>(
    (options, said): (&FunctionOptions, Option<Duration>),
    time: &TimeSource,
    kind: Kd,
    out: &Kd::Out,
    verdict: &Verdict,
) -> Moment {
    let negative = options.negative.filter(|_| kind.is_negative(out));
    let ttl = negative.or(said).or(verdict.ttl).or(options.lifetime());
    ttl.map_or(Moment::NEVER, |ttl| time.now().after(options.spread(ttl)))
}

impl<K: OwnedKey, Kd: Kind> Drop for Work<K, Kd> {
    fn drop(&mut self) {
        if !self.told {
            self.tell_of_nothing();
        }
        match &self.claim {
            Claim::Lead(lead) => self.function.memory.abandon(self.basis.hash, lead),
            Claim::Alone { stamp, .. } | Claim::Extra { stamp, .. } => {
                self.function.memory.end_alone(*stamp);
            }
            Claim::Landed => {}
        }
    }
}
