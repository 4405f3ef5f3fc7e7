//! One computation per key (F1): a leader computes, followers wait for what it finds.
//!
//! 1. A flight has at most one leader that may land it: the one that holds its current term.
//! 2. A flight without a leader has someone awake who can take it over, or no followers.
//! 3. A landed flight stays landed; whoever waits on it is woken once.
//! 4. The stamp is read before the leader of that term starts to compute.
//! 5. Who joined after the leader sent the question that it found the answer to is late for that.
//! 6. What is offered is for those who would rather have a former value than wait: they leave, the others
//!    go on waiting.

use crate::clock::{Moment, Sleep, TimeSource};
use crate::entry::{About, Marks, Stamp};
use crate::lookup::Served;
use crate::sync::Mutex;
use crate::versions::Versions;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Tells computations apart, also across functions and runtimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FlightId(u64);

impl FlightId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Relaxed))
    }

    /// Its place in the order in which they begin, from 1.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// Which leader of a flight: it grows with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term(u64);

/// A computation that others may wait for.
#[derive(Debug)]
pub(crate) struct Flight<S> {
    pub(crate) id: FlightId,
    /// What its value is known to depend on before it starts.
    pub(crate) marks: Marks,
    state: Mutex<State<S>>,
}

#[derive(Debug)]
struct State<S> {
    phase: Phase<S>,
    term: Term,
    stamp: Stamp,
    /// Its leader's place in the order in which computations begin.
    began: u64,
    /// Which followers were not there yet when the leader last asked elsewhere.
    late: Option<u64>,
    /// Whether what is going to land is computed, and not what was asked for.
    is_computed: bool,
    /// What the leader found, and computes anew; and which followers were not there yet when it asked for
    /// that.
    offer: Option<(Landing<S>, Option<u64>)>,
    /// One for each follower; `None` until it first waits.
    followers: BTreeMap<u64, Option<Waker>>,
    next_follower: u64,
}

#[derive(Debug)]
enum Phase<S> {
    Flying,
    Abandoned,
    Landed(Landing<S>),
}

/// What a computation found, for those who waited.
#[derive(Debug)]
pub(crate) struct Landing<S> {
    /// Nothing if it can't be shared: each then computes for itself.
    pub(crate) shared: Option<Arc<S>>,
    pub(crate) stamp: Stamp,
    pub(crate) expires: Moment,
    pub(crate) about: Arc<About>,
    /// Whether it was for where machines share it: there it can be seen whether it is valid still.
    pub(crate) is_sent: bool,
    /// Why it is served all the same, where its time is over.
    pub(crate) overdue: Option<Served>,
}

impl<S> Clone for Landing<S> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            stamp: self.stamp,
            expires: self.expires,
            about: Arc::clone(&self.about),
            is_sent: self.is_sent,
            overdue: self.overdue,
        }
    }
}

/// What waiting came to.
#[derive(Debug)]
pub(crate) enum Waited<S> {
    Landed(Landing<S>),
    /// There is a former value.
    Offered(Landing<S>),
    /// Nothing yet, and the caller wanted to know by now.
    Late,
    /// The leader is gone, or the patience is: the caller leads now.
    TakenOver(Term, Stamp),
}

impl<S> Flight<S> {
    pub(crate) fn new(marks: Marks, stamp: Stamp) -> Self {
        let id = FlightId::next();
        Self {
            id,
            marks,
            state: Mutex::new(State {
                phase: Phase::Flying,
                term: Term(0),
                stamp,
                began: id.number(),
                late: None,
                is_computed: false,
                offer: None,
                followers: BTreeMap::new(),
                next_follower: 0,
            }),
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.state.lock().stamp
    }

    pub(crate) fn term(&self) -> Term {
        self.state.lock().term
    }

    /// The place of its leader's computation in the order in which they begin.
    pub(crate) fn began(&self) -> u64 {
        self.state.lock().began
    }

    pub(crate) fn has_followers(&self) -> bool {
        !self.state.lock().followers.is_empty()
    }

    /// Notes that what is found for those who join from here on was asked for before.
    #[cfg(feature = "redis")]
    pub(crate) fn ask(&self, term: Term) {
        let mut state = self.state.lock();
        if state.term == term {
            state.late = Some(state.next_follower);
            state.is_computed = false;
        }
    }

    /// Notes that it was asked for before anyone joined.
    #[cfg(feature = "redis")]
    pub(crate) fn asked(&self, term: Term) {
        let mut state = self.state.lock();
        if state.term == term {
            state.late = Some(0);
            state.is_computed = false;
        }
    }

    /// Notes that nothing was found elsewhere: it is computed.
    #[cfg(feature = "redis")]
    pub(crate) fn compute(&self, term: Term) {
        let mut state = self.state.lock();
        if state.term == term {
            state.is_computed = true;
        }
    }

    /// Notes that what was found elsewhere lands after all.
    pub(crate) fn fall_back(&self, term: Term) {
        let mut state = self.state.lock();
        if state.term == term {
            state.is_computed = false;
        }
    }

    /// Offers a former value to whoever waits, now or later.
    pub(crate) fn offer(&self, term: Term, former: Landing<S>) {
        let mut state = self.state.lock();
        if state.term != term {
            return;
        }
        state.offer = Some((former, state.late));
        let waiting = state.wakers();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether it was given up and nobody is left to take it over.
    pub(crate) fn is_deserted(&self) -> bool {
        let state = self.state.lock();
        matches!(state.phase, Phase::Abandoned) && state.followers.is_empty()
    }

    /// Registers a follower. To be called while the flight can't be taken out of its table.
    pub(crate) fn join(self: &Arc<Self>) -> Follower<S> {
        let mut state = self.state.lock();
        let number = state.next_follower;
        state.next_follower += 1;
        state.followers.insert(number, None);
        Follower { flight: Arc::clone(self), number }
    }

    /// Hands what was found to the followers. Does nothing if the leader was replaced.
    pub(crate) fn land(&self, term: Term, landing: Landing<S>) {
        let mut state = self.state.lock();
        if state.term != term {
            return;
        }
        state.phase = Phase::Landed(landing);
        let waiting = state.wakers();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Gives the flight up to whichever follower is next. Does nothing if the leader was replaced.
    pub(crate) fn abandon(&self, term: Term) {
        let mut state = self.state.lock();
        if state.term != term || !matches!(state.phase, Phase::Flying) {
            return;
        }
        state.phase = Phase::Abandoned;
        let successor = state.successor();
        drop(state);
        successor.into_iter().for_each(Waker::wake);
    }
}

impl<S> State<S> {
    fn wakers(&mut self) -> Vec<Waker> {
        self.followers.values_mut().filter_map(Option::take).collect()
    }

    fn successor(&mut self) -> Option<Waker> {
        self.followers.values_mut().find_map(Option::take)
    }

    fn take_over(&mut self, versions: &Versions) -> (Term, Stamp) {
        self.phase = Phase::Flying;
        (self.late, self.is_computed, self.offer) = (None, false, None);
        self.term = Term(self.term.0 + 1);
        self.stamp = versions.now();
        self.began = FlightId::next().number();
        (self.term, self.stamp)
    }
}

/// A caller's place among the followers of a flight.
#[derive(Debug)]
pub(crate) struct Follower<S> {
    pub(crate) flight: Arc<Flight<S>>,
    number: u64,
}

impl<S> Drop for Follower<S> {
    fn drop(&mut self) {
        let mut state = self.flight.state.lock();
        state.followers.remove(&self.number);
        // A follower may have been woken to take over and be gone before it did.
        let successor = match state.phase {
            Phase::Abandoned => state.successor(),
            Phase::Flying | Phase::Landed(_) => None,
        };
        drop(state);
        successor.into_iter().for_each(Waker::wake);
    }
}

/// Waits for a flight, for as long as its patience lasts.
pub(crate) struct Wait<'a, S> {
    follower: &'a Follower<S>,
    versions: &'a Versions,
    time: &'a TimeSource,
    limits: Limits,
    takes_offers: bool,
    asleep: Option<(Sleep, bool)>,
}

/// How long a wait lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until the caller leads itself.
    pub(crate) patience: Duration,
    /// Until it wants to know that there is nothing yet, if that is earlier.
    pub(crate) hurry: Option<Duration>,
}

impl<S> Follower<S> {
    /// What is offered.
    pub(crate) fn offer(&self) -> Option<Landing<S>> {
        self.flight.state.lock().offer.as_ref().map(|(offer, _)| offer.clone())
    }

    /// Leads from here on, unless there is a landing.
    pub(crate) fn take_over(&self, versions: &Versions) -> Waited<S> {
        let mut state = self.flight.state.lock();
        if let Phase::Landed(landing) = &state.phase {
            return Waited::Landed(landing.clone());
        }
        let (term, stamp) = state.take_over(versions);
        Waited::TakenOver(term, stamp)
    }

    /// Whether it joined after what landed had been asked for.
    pub(crate) fn is_late(&self) -> bool {
        !self.flight.state.lock().is_computed && self.came_after_question()
    }

    /// Whether it joined after the leader last asked elsewhere, whatever landed.
    pub(crate) fn came_after_question(&self) -> bool {
        self.flight.state.lock().late.is_some_and(|late| self.number >= late)
    }

    /// Whether it joined after what is offered had been asked for.
    pub(crate) fn is_late_for_offer(&self) -> bool {
        let state = self.flight.state.lock();
        let late = state.offer.as_ref().and_then(|(_, late)| *late);
        late.is_some_and(|late| self.number >= late)
    }

    pub(crate) fn wait<'a>(
        &'a self,
        versions: &'a Versions,
        time: &'a TimeSource,
        limits: Limits,
        takes_offers: bool,
    ) -> Wait<'a, S> {
        Wait { follower: self, versions, time, limits, takes_offers, asleep: None }
    }
}

impl<S> Future for Wait<'_, S> {
    type Output = Waited<S>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Waited<S>> {
        let this = &mut *self;
        if let Poll::Ready(waited) = this.look(context) {
            return Poll::Ready(waited);
        }
        let (sleep, is_hurry) = this.asleep.get_or_insert_with(|| {
            let Limits { patience, hurry } = this.limits;
            let hurry = hurry.filter(|hurry| *hurry < patience);
            (this.time.sleep(hurry.unwrap_or(patience)), hurry.is_some())
        });
        if sleep.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        if *is_hurry {
            return Poll::Ready(Waited::Late);
        }
        Poll::Ready(this.follower.take_over(this.versions))
    }
}

impl<S> Wait<'_, S> {
    /// Looks whether there is something to do, and leaves a waker otherwise.
    fn look(&self, context: &Context<'_>) -> Poll<Waited<S>> {
        let mut state = self.follower.flight.state.lock();
        match &state.phase {
            Phase::Landed(landing) => return Poll::Ready(Waited::Landed(landing.clone())),
            Phase::Abandoned => {
                let (term, stamp) = state.take_over(self.versions);
                return Poll::Ready(Waited::TakenOver(term, stamp));
            }
            Phase::Flying => {}
        }
        if let Some((former, _)) = state.offer.as_ref().filter(|_| self.takes_offers) {
            return Poll::Ready(Waited::Offered(former.clone()));
        }
        state.followers.insert(self.follower.number, Some(context.waker().clone()));
        Poll::Pending
    }
}
