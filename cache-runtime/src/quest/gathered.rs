//! Computations of several calls that are handed over together.

use super::Quest;
use crate::ask::Charges;
use crate::background::{self, Commission};
use crate::context;
use crate::errand::Errand;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::work::Renews;
use std::borrow::{Borrow, BorrowMut};
use std::mem;

impl<K: OwnedKey, Kd: Kind> Quest<K, Kd> {
    /// Says that its computation may be handed over with others.
    pub(crate) fn gather(&mut self) {
        self.gathers = self.spare.is_some();
    }

    /// Whether that is still to be.
    pub(crate) fn gathers(&self) -> bool {
        self.gathers
    }

    /// Whether that is to be now. It is once at the most.
    pub(super) fn is_gathered(&mut self) -> bool {
        let is_possible = self.may_hand_over() && context::frame().is_none() && Kd::SHARES_FAILURES;
        mem::take(&mut self.gathers) && is_possible
    }

    /// Whether there is anything to run such a call.
    pub(crate) fn is_possible(&self, errand: &Errand) -> bool {
        background::is_possible(&self.function.home.executor, errand)
    }
}

/// Hands what they have claimed over to one call.
pub(crate) fn hand_over<K: OwnedKey, Kd: Kind>(
    gathered: Vec<impl BorrowMut<Quest<K, Kd>>>,
    errand: Errand,
    renews: Renews,
) {
    let Some(first) = gathered.first().map(Borrow::borrow) else { return };
    let (site, executor) = (first.function.site, first.function.home.executor.clone());
    let call = (site, first.said_of(renews));
    let mut charges = Charges::new();
    for mut quest in gathered {
        let quest = quest.borrow_mut();
        if let Some(lead) = quest.take_lead() {
            charges.entry(quest.mark).or_default().push(quest.charge(lead, renews));
        }
    }
    background::dispatch(&executor, call, errand, Commission::All(charges));
}
