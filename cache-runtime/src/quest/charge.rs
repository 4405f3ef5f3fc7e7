//! A computation that is handed over: begun here, carried out in the background by a call of its own.
//!
//! 1. Its flight is in the table before anything is handed over, so nobody else begins another.
//! 2. A charge that nobody takes up is given up to whoever waits for it, else for good.

use super::{Follower, Next, Quest, WAITS, Waiter};
use crate::ask::{self, Charges};
use crate::background::{self, Commission};
use crate::context;
use crate::errand::Errand;
use crate::function::FunctionFor;
use crate::key::OwnedKey;
use crate::options::Options;
use crate::outcome::Kind;
use crate::planted::{self, Bug};
use crate::tier::memory::Lead;
use crate::work::Renews;
use std::any::Any;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A claim to a flight, on its way.
struct Charge<K: OwnedKey, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    hash: u64,
    lead: Option<Lead<Kd::Shared>>,
    renews: Renews,
    /// For whoever waits for it.
    is_taken_up: Option<Arc<AtomicBool>>,
}

impl<K: OwnedKey, Kd: Kind> Drop for Charge<K, Kd> {
    fn drop(&mut self) {
        if let Some(lead) = self.lead.take()
            && !planted::is(Bug::ClaimKept)
        {
            self.function.memory.abandon(self.hash, &lead);
        }
    }
}

impl<K: OwnedKey, Kd: Kind> Quest<K, Kd> {
    /// Sees to it that what is fresh is computed anew, unless another call does. Given back if that is to
    /// be in place.
    pub(crate) fn renew(mut self: Box<Self>, again: impl FnOnce() -> Errand) -> Option<Box<Self>> {
        // Before anything is begun: it clones what is the user's.
        let errand = again();
        if self.begin_to_renew(errand) { Some(self) } else { None }
    }

    /// The same. True if that is to be in place.
    pub(crate) fn begin_to_renew(&mut self, errand: Errand) -> bool {
        let is_possible = background::is_possible(&self.function.home.executor, &errand);
        if !is_possible && !self.may_renew_in_place() || !self.claim_renewal() {
            return false;
        }
        if is_possible && let Some(lead) = self.take_lead() {
            self.count_renewal();
            self.dispatch(errand, lead, Renews::Behind);
            return false;
        }
        self.renew_in_place();
        true
    }

    /// Claims to compute anew what is fresh, unless another call does. It is given up with this.
    pub(crate) fn claim_renewal(&mut self) -> bool {
        let function = Arc::clone(&self.function);
        let (memory, time, hash) = (&function.memory, &function.home.time, self.basis.hash);
        let lead = if function.in_memory {
            memory.renew(hash, &mut self.key, time, &self.basis.marks)
        } else {
            memory.renew_elsewhere(hash, &mut self.key, &self.basis.marks)
        };
        let Some(lead) = lead else { return false };
        self.next = Next::Lead(lead);
        true
    }

    pub(crate) fn count_renewal(&self) {
        self.function.counters.refreshes.add(1);
    }

    /// Whether what there is may wait for its successor: not where the wait has an end, at which it would be
    /// as if there were nothing.
    pub(crate) fn may_renew_in_place(&self) -> bool {
        self.function.site.options.deadline.is_none()
    }

    /// Has what was claimed computed in place.
    pub(crate) fn renew_in_place(&mut self) {
        self.count_renewal();
        self.basis.renews = Renews::InPlace;
    }

    /// The claim that is next, for whoever carries it out.
    pub(super) fn take_lead(&mut self) -> Option<Lead<Kd::Shared>> {
        match mem::replace(&mut self.next, Next::Begin) {
            Next::Lead(lead) => Some(lead),
            other => {
                self.next = other;
                None
            }
        }
    }

    /// Whether computations are handed over for which there is no time to wait.
    pub(super) fn may_hand_over(&self) -> bool {
        (self.errand.is_some() || self.gathers) && self.function.site.options.outlives()
    }

    /// Goes on with what another call for its key began, if one did.
    pub(crate) fn take_up_one_of(self: Box<Self>, charges: &mut Charges) -> Box<Self> {
        let Some(alike) = charges.get_mut(&self.mark) else { return self };
        match alike.iter().position(|it| self.is_meant_by(it)) {
            Some(at) => self.take_up(alike.swap_remove(at)),
            None => self,
        }
    }

    /// Whether a claim is to the computation of its key: others' keys may have the same mark (C6).
    fn is_meant_by(&self, charge: &ask::Charge) -> bool {
        let (memory, key) = (&self.function.memory, self.key.as_ref());
        charge.downcast_ref::<Charge<K, Kd>>().is_some_and(|it| {
            // In another runtime it would land where nobody waits for it.
            Arc::ptr_eq(&it.function, &self.function)
                && it
                    .lead
                    .as_ref()
                    .zip(key)
                    .is_some_and(|(lead, key)| memory.is_of(it.hash, lead, key))
        })
    }

    /// Goes on with what another call began.
    pub(crate) fn take_up(mut self: Box<Self>, charge: Box<dyn Any + Send>) -> Box<Self> {
        if !self.is_meant_by(&charge) {
            return self;
        }
        let Ok(mut charge) = charge.downcast::<Charge<K, Kd>>() else { return self };
        if let Some(lead) = charge.lead.take() {
            if let Some(is_taken_up) = &charge.is_taken_up {
                // Release: meets the Acquire in `Waiter`.
                is_taken_up.store(true, Ordering::Release);
            }
            (self.basis.renews, self.basis.is_charged) = (charge.renews, true);
            // Its caller counts.
            self.basis.missed = None;
            self.next = Next::Lead(lead);
        }
        self
    }

    /// Hands a computation over, and waits for it; nothing if it is better carried out in place.
    pub(super) fn hand_over(
        &mut self,
        lead: Lead<Kd::Shared>,
    ) -> Result<Waiter<Kd::Shared>, Lead<Kd::Shared>> {
        // What it is handed to would wait where a part of a computation may not (F2). And of an error that
        // can't be copied nobody would hear.
        if !self.may_hand_over() || context::frame().is_some() || !Kd::SHARES_FAILURES {
            return Err(lead);
        }
        let executor = &self.function.home.executor;
        let is_possible = |it: &mut Errand| background::is_possible(executor, it);
        let Some(errand) = self.errand.take_if(is_possible) else { return Err(lead) };
        let Some(waiter) = self.wait_for(&lead) else { return Err(lead) };
        self.dispatch(errand, lead, Renews::Nothing);
        Ok(waiter)
    }

    /// Waits for what is about to be handed over; nothing if it would wait for itself.
    fn wait_for(&mut self, lead: &Lead<Kd::Shared>) -> Option<Waiter<Kd::Shared>> {
        let follower: Follower<_> = lead.flight.join();
        let waiting = WAITS.begin(Vec::new(), lead.flight.id)?;
        // Of what it took over, the flight has the key of who began it.
        self.key = Some(self.key.take().or_else(|| self.spare.take())?);
        // Another wait begins.
        self.patience = None;
        let is_taken_up = self.is_taken_up.insert(Arc::default());
        let is_taken_up = Some(Arc::clone(is_taken_up));
        Some(Waiter { follower, is_taken_up, _waiting: waiting })
    }

    /// The same for what is claimed.
    pub(crate) fn wait_for_claim(&mut self) -> Option<Waiter<Kd::Shared>> {
        let lead = self.take_lead()?;
        let waiter = self.wait_for(&lead);
        self.next = Next::Lead(lead);
        waiter
    }

    fn dispatch(&mut self, errand: Errand, lead: Lead<Kd::Shared>, renews: Renews) {
        let commission = Commission::One(self.mark, self.charge(lead, renews));
        let call = (self.function.site, self.said_of(renews));
        background::dispatch(&self.function.home.executor, call, errand, commission);
    }

    /// What another call is to do in place of this one.
    pub(super) fn charge(&mut self, lead: Lead<Kd::Shared>, renews: Renews) -> ask::Charge {
        let (function, hash) = (Arc::clone(&self.function), self.basis.hash);
        let is_taken_up = self.is_taken_up.take();
        Box::new(Charge::<K, Kd> { function, hash, lead: Some(lead), renews, is_taken_up })
    }

    /// What is said of it: what is renewed is renewed for all, whatever is said of this call.
    pub(super) fn said_of(&self, renews: Renews) -> Options {
        if renews == Renews::Nothing { self.basis.options } else { Options::new() }
    }
}
