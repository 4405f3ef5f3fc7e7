//! A call on its way to a value: to compute it, or to wait for whoever does (F1, F2).

mod charge;
mod gathered;

pub(crate) use self::gathered::hand_over;

use crate::clock::{Moment, TimeSource};
use crate::context;
use crate::entry::Stamp;
use crate::errand::Errand;
use crate::error::Level;
use crate::flight::{FlightId, Follower, Landing, Limits, Waited};
use crate::frame::Frame;
use crate::function::FunctionFor;
use crate::key::OwnedKey;
use crate::limit::Limit;
use crate::lookup::Served;
use crate::mark::Mark;
use crate::outcome::Kind;
use crate::stored::Stored;
use crate::tier::memory::{Begun, Lead, Leniency};
use crate::waits::{Waiting, Waits};
#[cfg(feature = "redis")]
use crate::work::Glanced;
use crate::work::{Basis, Before, Claim, Room, Work};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static WAITS: LazyLock<Waits> = LazyLock::new(Waits::default);

/// Of so many keys is told at once at the most.
const MOST_TOLD: usize = 256;

/// A call that missed.
pub(crate) struct Quest<K: OwnedKey, Kd: Kind> {
    pub(crate) function: Arc<FunctionFor<K, Kd>>,
    pub(crate) kind: Kd,
    pub(crate) basis: Basis,
    /// Taken by the flight that is begun with it.
    key: Option<K>,
    /// What tells its key from most others, for a call that is made in its place.
    mark: Mark,
    /// What it takes to make such a call.
    pub(crate) errand: Option<Errand>,
    /// The key for what this one does when that has ended.
    spare: Option<K>,
    /// Whether such a call is made for it together with others.
    gathers: bool,
    /// Whether that call has begun, if this one waits for it.
    is_taken_up: Option<Arc<AtomicBool>>,
    /// Whether what it found is to be computed anew, by whoever sees to that.
    #[cfg(feature = "redis")]
    pub(crate) is_due: bool,
    /// When it was made.
    called: Moment,
    /// Until when others are waited for, since the first of them was.
    patience: Option<Moment>,
    /// When nothing is waited for any more.
    deadline: Option<Moment>,
    /// What a look at the tier that machines share found, when its time was over, and the clock before.
    #[cfg(feature = "redis")]
    pub(crate) former: Option<(Kd::Kept, Moment, Stamp)>,
    next: Next<Kd>,
}

/// What is to be done next.
enum Next<Kd: Kind> {
    Begin,
    Serve(Kd::Out),
    Lead(Lead<Kd::Shared>),
    /// The same, where another call did before.
    Succeed(Lead<Kd::Shared>),
    /// Compute, whoever else does: what they find can't be shared.
    ComputeAlone,
    GiveUp,
}

/// What a call is to do.
pub(crate) enum Step<K: OwnedKey, Kd: Kind> {
    Serve(Kd::Out),
    Work(Box<Work<K, Kd>>),
    Wait(Waiter<Kd::Shared>),
    /// It has the claim to compute it, which may be handed over together with others: else it is the next
    /// step.
    Gather,
    /// There is no more time.
    GiveUp,
}

/// A place among those who wait, and what keeps circles from closing meanwhile.
pub(crate) struct Waiter<S> {
    follower: Follower<S>,
    /// Whether the call that is to carry it out in its place has begun to. Nothing if there is none.
    is_taken_up: Option<Arc<AtomicBool>>,
    _waiting: Waiting<'static>,
}

impl<S> Waiter<S> {
    /// Whether whoever is to carry it out has begun to.
    fn is_begun(&self) -> bool {
        // Acquire: meets the Release of who takes the claim up.
        self.is_taken_up.as_ref().is_none_or(|it| it.load(Ordering::Acquire))
    }
}

/// A place among those who wait, left when this is dropped; the last to leave clears it away.
pub(crate) struct Leaving<K: OwnedKey, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    hash: u64,
    waiter: Option<Waiter<Kd::Shared>>,
}

impl<K: OwnedKey, Kd: Kind> Drop for Leaving<K, Kd> {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            let flight = Arc::clone(&waiter.follower.flight);
            drop(waiter);
            self.function.memory.tidy(self.hash, &flight);
        }
    }
}

/// What was taken over and not begun is for whoever waits for it.
impl<K: OwnedKey, Kd: Kind> Drop for Quest<K, Kd> {
    fn drop(&mut self) {
        let next = mem::replace(&mut self.next, Next::GiveUp);
        if let Next::Lead(lead) | Next::Succeed(lead) = next {
            self.function.memory.abandon(self.basis.hash, &lead);
        }
    }
}

impl<K: OwnedKey, Kd: Kind> Quest<K, Kd> {
    pub(crate) fn new(
        function: Arc<FunctionFor<K, Kd>>,
        kind: Kd,
        mut basis: Basis,
        (key, mark): (K, Mark),
    ) -> Box<Self> {
        let now = function.home.time.now();
        let options = &function.site.options;
        basis.hurry = options.timeout.filter(|_| options.is_lenient()).map(|it| now.after(it));
        let deadline = options.deadline.map(|it| now.after(it));
        Box::new(Self {
            function,
            kind,
            basis,
            key: Some(key),
            mark,
            errand: None,
            spare: None,
            gathers: false,
            is_taken_up: None,
            #[cfg(feature = "redis")]
            is_due: false,
            called: now,
            patience: None,
            deadline,
            #[cfg(feature = "redis")]
            former: None,
            next: Next::Begin,
        })
    }

    /// Lets it leave a computation behind: by an errand of its own, or by one with others.
    pub(crate) fn outlive(&mut self, errand: Option<Errand>, spare: K) {
        (self.errand, self.spare) = (errand, Some(spare));
    }

    /// How long the call may take.
    pub(crate) fn limit(&self) -> Limit {
        Limit {
            deadline: self.deadline.map(|it| it.since(self.called)),
            site: self.function.site,
            home: self.function.home.id,
            time: self.function.home.time.clone(),
            counters: Arc::clone(&self.function.counters),
        }
    }

    /// Says that nobody would rather have something else than wait for it.
    pub(crate) fn outlast_all(&mut self) {
        (self.basis.hurry, self.deadline) = (None, None);
    }

    /// The same, but computed whatever is cached or in flight.
    pub(crate) fn anew(mut self: Box<Self>) -> Box<Self> {
        self.next = Next::ComputeAlone;
        self
    }

    /// Whether nothing was begun yet, nor is to be begun whatever is found.
    #[cfg(feature = "redis")]
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.next, Next::Begin)
    }

    /// Makes room for a value that comes from elsewhere: nothing that began before survives it, unless it is
    /// not to be kept itself.
    pub(crate) async fn put(mut self: Box<Self>) -> Box<Work<K, Kd>> {
        if self.basis.options.stores() {
            self = self.forget().await;
        }
        self.alone(true, None)
    }

    /// The same for a call: whatever it finds from here on is later.
    pub(crate) async fn forget(mut self: Box<Self>) -> Box<Self> {
        Self::forget_all(&mut [&mut self]).await;
        self
    }

    /// The same for calls of one function, of whose keys is told at once.
    pub(crate) async fn forget_all(quests: &mut [&mut Box<Self>]) {
        let Some(first) = quests.first() else { return };
        let function = Arc::clone(&first.function);
        let (home, site) = (&function.home, function.site);
        for some in quests.chunks_mut(MOST_TOLD) {
            let keys: Vec<_> = some.iter().map(|it| it.basis.marks[0]).collect();
            let is_beyond = |it: &&&mut Box<Self>| it.basis.address.is_some();
            let beyond: Vec<_> =
                some.iter().filter(is_beyond).map(|it| it.basis.marks[0]).collect();
            home.record_key(site, &keys, &beyond).await;
            let now = home.versions.now();
            for it in some {
                it.basis.arrival = now;
            }
        }
    }

    /// Takes the next step that needs no waiting.
    pub(crate) fn step(&mut self) -> Step<K, Kd> {
        self.step_in(None)
    }

    /// The same where what is begun is begun with others.
    pub(crate) fn step_in(&mut self, room: Option<&Room>) -> Step<K, Kd> {
        match mem::replace(&mut self.next, Next::Begin) {
            Next::Serve(out) => Step::Serve(out),
            Next::Lead(lead) => Step::Work(self.work(Claim::Lead(lead), room)),
            Next::Succeed(lead) => self.lead(lead, room, |_| ()),
            Next::ComputeAlone => Step::Work(self.alone(true, room)),
            Next::GiveUp => Step::GiveUp,
            Next::Begin => self.begin(room),
        }
    }

    fn begin(&mut self, room: Option<&Room>) -> Step<K, Kd> {
        let function = Arc::clone(&self.function);
        let frame = context::frame();
        // What is not vouched for may be in memory, but is not served.
        let is_vouched = function.stored.as_ref().is_none_or(Stored::hear);
        let may_serve = is_vouched && self.basis.options.reaches(Level::L1);
        let asks_elsewhere = self.basis.address.is_some();
        let leniency = Leniency { asks_elsewhere, ..function.site.options.leniency() };
        let begun = function.memory.begin(
            self.basis.hash,
            &mut self.key,
            (&function.home.time, leniency),
            &self.basis.marks,
            |entry, why| {
                let is_due = why == Served::Fresh || function.may_linger(self.kind, &entry.value);
                let suits = may_serve && is_due && function.suits(&entry.about, frame.as_deref());
                suits.then(|| (function.lend(self.kind, entry, frame.as_deref()), why))
            },
        );
        match begun {
            Begun::Found((out, Served::Fresh)) => {
                self.count_miss();
                // It has been counted as a miss, and what another call computed ends it.
                function.counters.joins.add(1);
                Step::Serve(out)
            }
            Begun::Found((out, why)) => {
                self.basis.missed = None;
                function.count_overdue(self.kind, why, &out);
                Step::Serve(out)
            }
            Begun::Lead(lead) => {
                let waits = self.may_hand_over() && function.site.options.is_lenient();
                if !waits && (!function.is_on_fleet() || self.basis.address.is_none()) {
                    self.count_miss();
                }
                self.lead(lead, room, |quest| {
                    if waits && (!function.is_on_fleet() || quest.basis.address.is_none()) {
                        quest.count_miss();
                    }
                })
            }
            Begun::Follow(follower) => {
                if let Some(out) = self.take_glanced(function.site.options.stale) {
                    let flight = Arc::clone(&follower.flight);
                    drop(follower);
                    function.memory.tidy(self.basis.hash, &flight);
                    return Step::Serve(out);
                }
                if !function.site.options.is_lenient() {
                    self.count_miss();
                }
                let inside = frame.map(|frame| frame.flights()).unwrap_or_default();
                if let Some(waiting) = WAITS.begin(inside, follower.flight.id) {
                    let (is_taken_up, waiting) = (None, waiting);
                    return Step::Wait(Waiter { follower, is_taken_up, _waiting: waiting });
                }
                self.count_miss();
                Step::Work(self.alone(false, room))
            }
        }
    }

    /// Has what it has claimed computed: together with others, in the background, or here.
    fn lead(
        &mut self,
        lead: Lead<Kd::Shared>,
        room: Option<&Room>,
        here: impl FnOnce(&mut Self),
    ) -> Step<K, Kd> {
        if self.is_gathered() {
            self.next = Next::Lead(lead);
            return Step::Gather;
        }
        match self.hand_over(lead) {
            Ok(waiter) => Step::Wait(waiter),
            Err(lead) => {
                here(self);
                Step::Work(self.work(Claim::Lead(lead), room))
            }
        }
    }

    /// Whether another call that has not begun either is for the same key.
    pub(crate) fn asks_the_same_as(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// What tells its key from others, as a rule: keys that hash alike have it in common.
    pub(crate) fn mark(&self) -> Mark {
        self.mark
    }

    /// Whether files are looked at for what it computes.
    pub(crate) fn has_files(&self) -> bool {
        self.basis.files.is_some()
    }

    /// A place among those who wait, for as long as it is kept.
    pub(crate) fn place(&self, waiter: Waiter<Kd::Shared>) -> Leaving<K, Kd> {
        let (function, hash) = (Arc::clone(&self.function), self.basis.hash);
        Leaving { function, hash, waiter: Some(waiter) }
    }

    /// The computation of a value that came along with others.
    pub(crate) fn extra(mut self, before: &Before<K, Kd>) -> Box<Work<K, Kd>> {
        let key = self.key.take().expect("no flight has it");
        before.extra(key, mem::take(&mut self.basis))
    }

    /// Counts the call as a miss, unless it was: it asks no tier itself.
    fn count_miss(&mut self) {
        if let Some(why) = self.basis.missed.take() {
            self.function.counters.miss(why);
        }
    }

    /// Waits for a flight, and finds out what is to be done next.
    pub(crate) async fn wait(&mut self, waiter: Waiter<Kd::Shared>) {
        let place = self.place(waiter);
        self.wait_at(&place).await;
    }

    /// The same at a place that is kept.
    pub(crate) async fn wait_at(&mut self, place: &Leaving<K, Kd>) {
        let function = Arc::clone(&self.function);
        let waiter = place.waiter.as_ref().expect("it has not left yet");
        let now = self.time().now();
        let latest = now.after(self.function.site.options.wait);
        let end = *self.patience.get_or_insert(latest);
        // Whoever carries out its computation gives up what it can't, once it has begun.
        let patience = if waiter.is_taken_up.is_some() { Moment::NEVER } else { end };
        let versions = &function.home.versions;
        let mut takes_offers = function.site.options.is_lenient();
        // It may be over before this waits, and is looked to once.
        let mut hurry_from = self.basis.hurry;
        let outcome = loop {
            let now = function.home.time.now();
            let hurry = hurry_from.into_iter().chain(self.deadline);
            let hurry = hurry.chain((!waiter.is_begun()).then_some(end)).min();
            let hurry = hurry.map(|hurry| hurry.since(now));
            let limits = Limits { patience: patience.since(now), hurry };
            let wait =
                waiter.follower.wait(versions, &function.home.time, limits, takes_offers).await;
            let found = match &wait {
                Waited::Offered(former) => {
                    takes_offers = false;
                    let stale = function.site.options.stale;
                    let now = function.home.time.now();
                    if self.basis.hurry.is_some_and(|it| it <= now) {
                        // It comes when any former value will do.
                        self.hurry_up(&waiter.follower)
                    } else if waiter.follower.is_late_for_offer() && context::frame().is_none() {
                        None
                    } else {
                        self.take_former(former, stale)
                    }
                }
                Waited::Late => {
                    let now = function.home.time.now();
                    let is_over = self.deadline.is_some_and(|it| it <= now);
                    if hurry_from.take_if(|it| *it <= now).is_some() || is_over {
                        self.hurry_up(&waiter.follower)
                    } else if !waiter.is_begun() && now >= end {
                        break waiter.follower.take_over(versions);
                    } else {
                        None
                    }
                }
                _ => break wait,
            };
            let is_over = self.deadline.is_some_and(|it| function.home.time.now() >= it);
            match found {
                Some(out) => self.next = Next::Serve(out),
                None if is_over => self.next = Next::GiveUp,
                None => continue,
            }
            return;
        };
        self.count_miss();
        #[cfg(feature = "redis")]
        {
            // It was before that.
            self.basis.glanced = Glanced::NotTried;
        }
        self.next = match outcome {
            // What is made of it would be told of its end.
            Waited::Landed(landing)
                if context::frame().is_none()
                    && self.basis.options.reaches(Level::L3)
                    && (waiter.follower.is_late()
                        || landing.is_sent && waiter.follower.came_after_question()) =>
            {
                // Where it was sent to, it looks for itself.
                self.function.counters.refused_joins.add(1);
                Next::Begin
            }
            Waited::Landed(landing) => self.take(&landing),
            Waited::TakenOver(term, stamp) => {
                self.function.counters.takeovers.add(1);
                let flight = Arc::clone(&waiter.follower.flight);
                Next::Succeed(Lead { flight, term, stamp })
            }
            Waited::Offered(_) | Waited::Late => unreachable!("it goes on waiting then"),
        };
    }

    /// Takes a former value, if there is one, because computing another takes too long.
    fn hurry_up(&mut self, follower: &Follower<Kd::Shared>) -> Option<Kd::Out> {
        let function = Arc::clone(&self.function);
        let frame = context::frame();
        let most = function.site.options.linger();
        let may_serve = function.stored.as_ref().is_none_or(Stored::hear);
        let flight = (self.basis.hash, &follower.flight);
        let may_serve = may_serve && self.basis.options.reaches(Level::L1);
        let here = function.memory.last_resort(
            flight,
            &function.home.time,
            (most, false),
            |entry, late| {
                let is_due = may_serve && function.may_linger(self.kind, &entry.value);
                let suits = is_due && function.suits(&entry.about, frame.as_deref());
                suits.then(|| (function.lend(self.kind, entry, frame.as_deref()), late))
            },
        );
        if let Some((out, late)) = here {
            self.basis.missed = None;
            function.counters.timeouts.add(1);
            function.count_overdue(self.kind, self.served(late), &out);
            return Some(out);
        }
        let is_late = follower.is_late_for_offer() && frame.is_none();
        let offer = follower.offer().filter(|_| !is_late);
        let taken = offer.and_then(|offer| self.take_former(&offer, most));
        let out = taken.or_else(|| self.take_glanced(most))?;
        function.counters.timeouts.add(1);
        Some(out)
    }

    /// Takes a former value that a look at the tier which machines share has found, if that may be served
    /// while it is computed anew.
    #[cfg(feature = "redis")]
    fn take_glanced(&mut self, most: Duration) -> Option<Kd::Out> {
        let (value, expires, stamp) = self.former.take()?;
        let now = self.time().now();
        let is_vouched = || self.function.stored.as_ref().is_none_or(Stored::hear);
        // Of what it depends on nothing is known but that nothing at all was invalidated since.
        if now.since(expires) >= most || !is_vouched() || self.function.home.versions.now() != stamp
        {
            self.former = Some((value, expires, stamp));
            return None;
        }
        let out = self.kind.release(value);
        self.basis.missed = None;
        self.function.count_overdue(self.kind, self.served(now.since(expires)), &out);
        Some(out)
    }

    #[cfg(not(feature = "redis"))]
    #[expect(clippy::unused_self, reason = "the same where there is such a tier")]
    fn take_glanced(&mut self, _: Duration) -> Option<Kd::Out> {
        None
    }

    /// By what right a value is served whose time has been over for so long.
    fn served(&self, late: Duration) -> Served {
        if late < self.function.site.options.stale { Served::Stale } else { Served::Grace }
    }

    /// Takes a former value that the leader found, if that may be served while it is computed anew.
    fn take_former(&mut self, former: &Landing<Kd::Shared>, most: Duration) -> Option<Kd::Out> {
        let function = &self.function;
        let frame = context::frame();
        let late = self.time().now().since(former.expires);
        let is_stale = late < most;
        let suits = || function.suits(&former.about, frame.as_deref());
        let is_vouched = || function.stored.as_ref().is_none_or(Stored::hear);
        let is_valid = || is_vouched() && function.memory.accepts(former, Stamp(u64::MAX));
        if !is_stale || !suits() || !is_valid() {
            return None;
        }
        let out = self.kind.open(former.shared.as_ref()?);
        self.basis.missed = None;
        function.count_overdue(self.kind, self.served(late), &out);
        if let Some(frame) = frame {
            let keyed = function.site.options.keyed;
            frame.inherit(function.home.id, &former.about, former.expires, keyed);
        }
        Some(out)
    }

    /// Takes what a leader found, if it is good enough (V6).
    fn take(&self, landing: &Landing<Kd::Shared>) -> Next<Kd> {
        let counters = &self.function.counters;
        let frame = context::frame();
        // That nothing was recorded here since does not mean that it began later: others may have
        // invalidated what it is made of, and who makes something for them looks at its versions.
        let is_shared = frame.as_deref().is_some_and(Frame::is_shared);
        let suits = landing.stamp >= self.basis.arrival && !is_shared
            || self.function.suits(&landing.about, frame.as_deref());
        if !suits
            || self.is_past(landing)
            || !self.function.memory.accepts(landing, self.basis.arrival)
        {
            counters.refused_joins.add(1);
            return Next::Begin;
        }
        let Some(shared) = &landing.shared else { return Next::ComputeAlone };
        counters.joins.add(1);
        if let Some(why) = landing.overdue {
            // The call itself has been counted, as a miss.
            counters.overdue(why);
        }
        if let Some(frame) = frame {
            let keyed = self.function.site.options.keyed;
            frame.inherit(self.function.home.id, &landing.about, landing.expires, keyed);
        }
        Next::Serve(self.kind.open(shared))
    }

    /// Whether what its leader found was too old when this call was made.
    fn is_past(&self, landing: &Landing<Kd::Shared>) -> bool {
        // What was computed since is as new as it can be, however soon what it is made of ends.
        if self.called < landing.expires || landing.about.born >= self.called {
            return false;
        }
        let options = &self.function.site.options;
        let is_negative = |it: &Arc<_>| self.kind.is_negative(&self.kind.open(it));
        let ends = options.negative.is_some() && landing.shared.as_ref().is_some_and(is_negative);
        ends || self.called >= landing.expires.after(options.linger())
    }

    fn time(&self) -> &TimeSource {
        &self.function.home.time
    }

    /// A computation that nobody waits for; `stored` if it may still be kept.
    fn alone(&mut self, stored: bool, room: Option<&Room>) -> Box<Work<K, Kd>> {
        let stamp = self.function.memory.begin_alone();
        let key = if stored { self.key.take() } else { None };
        self.work(Claim::Alone { key, stamp, id: FlightId::next() }, room)
    }

    fn work(&mut self, claim: Claim<K, Kd::Shared>, room: Option<&Room>) -> Box<Work<K, Kd>> {
        let basis = mem::take(&mut self.basis);
        Work::begin(Arc::clone(&self.function), self.kind, basis, claim, room)
    }
}
