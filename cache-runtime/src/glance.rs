//! A look at the tier that machines share, before anything is begun: for values that are kept nowhere
//! nearer.
//!
//! 1. Nothing that stays is made of what is found: nobody may tell this process of its end.
//! 2. Each caller looks for itself: what it finds was asked for after it called. Those who look at the
//!    same time share the trip.

use crate::clock::Moment;
use crate::context;
use crate::entry::Stamp;
use crate::error::Level;
use crate::function::TierHits;
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::outcome::Kind;
use crate::quest::Quest;
use crate::stored::{self, Address, Fault, Patience};
use crate::work::Glanced;
use std::sync::Arc;

impl<K: OwnedKey, Kd: Kind> Quest<K, Kd> {
    /// Whether a look is due.
    pub(crate) fn may_glance(&self) -> bool {
        let stored = self.function.stored.as_ref();
        stored.is_some_and(|stored| stored.is_on_fleet() && !self.function.is_kept_near(stored))
            && matches!(self.basis.glanced, Glanced::NotTried)
            && self.is_open()
            && self.basis.options.reaches(Level::L3)
            && context::frame().is_none()
    }

    /// Looks, and says what is there.
    ///
    /// # Cancellation
    ///
    /// Safe to drop: nothing was begun.
    pub(crate) async fn glance(&mut self) -> Option<Kd::Out> {
        let stored = self.function.stored.as_ref()?;
        let fleet = stored.fleet().filter(|fleet| fleet.is_up())?;
        let address = self.basis.address.as_ref()?;
        let asking = stored.asking(address, &self.basis.marks).lingering(stored.linger());
        if !asking.is_up(fleet) {
            return None;
        }
        let mut patience = fleet.patience();
        let stamp = self.function.home.versions.now();
        let found = stored.glance_at_fleet(fleet, &asking, &mut patience).await;
        drop(asking);
        self.take_look(found, (stamp, patience))
    }

    /// Serves what was found, or takes note of what was not.
    fn take_look(
        &mut self,
        found: Result<Result<stored::Glanced<Kd::Kept>, Miss>, Fault>,
        (stamp, patience): (Stamp, Patience),
    ) -> Option<Kd::Out> {
        self.former = None;
        match found {
            Ok(Ok(glanced)) if glanced.expires > self.function.home.time.now() => {
                return self.use_glanced(glanced);
            }
            Ok(Ok(overdue)) => {
                self.basis.blame(Miss::Expired);
                self.basis.glanced = Glanced::Overdue(patience);
                if self.function.may_linger(self.kind, &overdue.value) {
                    self.former = Some((overdue.value, overdue.expires, stamp));
                }
            }
            Ok(Err(why)) => {
                self.basis.blame(why);
                self.basis.glanced = Glanced::Nothing(patience);
            }
            Err(_) => {
                self.function.counters.degraded.add(1);
                self.basis.blame(Miss::Unavailable);
                self.basis.glanced = Glanced::InVain;
            }
        }
        None
    }

    /// Serves what is fresh, unless it is to be computed anew in place.
    fn use_glanced(&mut self, glanced: stored::Glanced<Kd::Kept>) -> Option<Kd::Out> {
        const TIER: TierHits = |counters| &counters.hits_l3;
        if self.basis.missed.is_none() {
            // It has been counted as a miss, and waited for others since.
            self.function.counters.joins_l3.add(1);
            return Some(self.kind.release(glanced.value));
        }
        if self.is_to_renew(&glanced) {
            self.basis.missed = None;
            self.is_due = self.errand.is_none();
            if let Some(errand) = self.errand.take()
                && self.begin_to_renew(errand)
            {
                self.function.count_read(self.kind, TIER, &glanced.value, glanced.age);
                return None;
            }
        }
        Some(self.function.pass_on(self.kind, (TIER, glanced)))
    }

    fn is_to_renew(&self, glanced: &stored::Glanced<Kd::Kept>) -> bool {
        let born: Moment = self.function.home.time.now().before(glanced.age);
        let key = self.basis.address.as_ref().map(Address::mark);
        let span = (born, glanced.expires);
        self.basis.options.stores()
            && self.basis.ran.is_none()
            && key.is_some_and(|key| self.function.is_due_elsewhere(key, span))
    }
}

/// Looks for several calls of one function at once, those of which that are due: what is there, by place.
///
/// # Cancellation
///
/// Safe to drop: nothing was begun.
pub(crate) async fn glance_all<K: OwnedKey, Kd: Kind>(
    quests: &mut [(usize, Box<Quest<K, Kd>>)],
) -> Vec<(usize, Kd::Out)> {
    let Some((_, first)) = quests.first() else { return Vec::new() };
    let function = Arc::clone(&first.function);
    let Some(stored) = &function.stored else { return Vec::new() };
    let Some(fleet) = stored.fleet().filter(|fleet| fleet.is_up()) else { return Vec::new() };
    let (mut askings, mut due) = (Vec::new(), Vec::new());
    for (place, (_, quest)) in quests.iter().enumerate().filter(|(_, (_, it))| it.may_glance()) {
        let Some(address) = &quest.basis.address else { continue };
        let asking = stored.asking(address, &quest.basis.marks).lingering(stored.linger());
        if asking.is_up(fleet) {
            askings.push(asking);
            due.push(place);
        }
    }
    if askings.is_empty() {
        return Vec::new();
    }
    let mut patience = fleet.patience();
    let stamp = function.home.versions.now();
    let found = stored.glance_at_all(fleet, &askings, &mut patience).await;
    drop(askings);
    let mut taken = Vec::new();
    for (place, found) in due.into_iter().zip(found) {
        let (at, quest) = &mut quests[place];
        taken.extend(quest.take_look(found, (stamp, patience)).map(|out| (*at, out)));
    }
    taken
}
