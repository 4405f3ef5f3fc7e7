//! What a computation has to do with the tier that machines share.
//!
//! 1. What is computed enters a nearer tier only after the store said yes; where it could not be asked,
//!    only while it is known to be out of reach, and until it is back.

use super::{Claim, Finished, OnItsWay, Work};
use crate::captured::Captured;
use crate::clock::{self, Moment};
use crate::entry::{About, Marks, Stamp};
use crate::error::Level;
use crate::frame::Frame;
use crate::function::TierHits;
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::outcome::Kind;
use crate::outward::{self, outward, vouched};
use crate::stored::{
    Address, Asking, Consignment, Granted, Loaded, OnFleet, Packed, Patience, Stored,
};
use crate::tier::redis::OnPartition;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a wait for another process lasts if nothing is heard of it.
const PAUSE: Duration = Duration::from_millis(300);

/// What asking came to.
pub(super) enum Fleet {
    /// The function is not kept there.
    NotAsked,
    /// It was out of reach for what is known by these.
    Down(Marks),
    /// What is computed can't be kept there, so it is for its caller alone.
    Barred,
    /// What is computed may be kept there.
    Granted(Granted),
    /// What is computed is not kept there, but what is made of it may be.
    Witnessed(Captured),
}

/// What a look before anything was begun came to.
#[derive(Default)]
pub(crate) enum Glanced {
    #[default]
    NotTried,
    /// There is nothing. What is to be asked next has what time is left.
    Nothing(Patience),
    /// The same, but for a value whose time is over.
    Overdue(Patience),
    /// Nothing is known, and no time is left to ask again.
    InVain,
}

impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    fn tier(&self) -> Option<&OnFleet> {
        self.function.stored.as_ref()?.fleet()
    }

    pub(super) fn has_fleet(&self) -> bool {
        self.tier().is_some()
    }

    /// Counts the call as a miss, unless it was.
    fn count_miss(&mut self, beyond: Option<Miss>) {
        if let Some(why) = self.basis.missed.take() {
            self.function.counters.miss(beyond.unwrap_or(why));
        }
    }

    /// Whether what is made of this may be kept in the tier, and this itself is not.
    pub(super) fn is_witness(&self) -> bool {
        !self.has_fleet() && self.frame.caller().is_some_and(Frame::is_shared)
    }

    /// Captures the versions that what is made of this is valid under.
    pub(super) async fn witness(&mut self) {
        let Some(fleet) = self.function.home.fleet() else { return };
        let marks = outward::marks(&self.basis.marks, self.stand_in());
        let captured = fleet.witness(&marks, &mut fleet.patience()).await;
        if let Ok(Some(captured)) = captured {
            self.fleet = Fleet::Witnessed(captured);
        }
    }

    /// Takes what the tier has, or the right to compute.
    pub(super) async fn consult_fleet(
        &mut self,
        stored: &Stored<Kd::Kept>,
        address: &Address,
    ) -> Option<Loaded<Kd::Kept>> {
        let Some(fleet) = stored.fleet() else {
            self.count_miss(None);
            return None;
        };
        let said = self.basis.options;
        let is_asked = match self.claim {
            Claim::Lead(_) => said.reaches(Level::L3),
            // It is asked for the right to store alone.
            _ => said.keeps(Level::L3),
        };
        if !is_asked {
            if let Claim::Lead(lead) = &self.claim {
                // Of what it depends on nobody tells.
                lead.flight.asked(lead.term);
            }
            self.fleet = Fleet::Barred;
            self.count_miss(None);
            return None;
        }
        let is_part = self.frame.caller().is_some_and(Frame::is_shared);
        let asking =
            fleet.is_up().then(|| stored.asking(address, &self.basis.marks).for_part(is_part));
        let asking = asking.map(|it| it.lingering(stored.linger()));
        let Some(asking) = asking.filter(|asking| asking.is_up(fleet)) else {
            self.fleet = Fleet::Down(self.basis.marks.clone());
            self.function.counters.degraded.add(1);
            return self.do_without(stored, fleet, address);
        };
        let glanced = mem::take(&mut self.basis.glanced);
        let was_in_vain = matches!(glanced, Glanced::InVain);
        let outcome = match self.claim {
            _ if was_in_vain => Err(()),
            Claim::Lead(_) => self.ask(stored, fleet, &asking, glanced).await,
            _ => self.seize(stored, fleet, &asking).await,
        };
        let Ok(found) = outcome else {
            // Who looked has counted it.
            self.function.counters.degraded.add(u64::from(!was_in_vain));
            self.count_miss(Some(Miss::Unavailable));
            // Maybe nobody tells of the end of what this is going to depend on.
            fleet.attend(asking.marks());
            self.note_asking(stored);
            if !self.function.is_kept_near(stored) {
                // Whoever has come since asks for more than that it was valid before.
                self.overdue = None;
            }
            self.fleet = Fleet::Barred;
            return None;
        };
        if found.is_none() && !self.is_held {
            self.note_computing();
        }
        found
    }

    /// Takes what this machine has while nothing can be asked of others, if that may be served. What
    /// the servers told of is known to this process alone, and the machine's log does not say when: so
    /// nothing is taken that this process ever heard anything of.
    fn do_without(
        &mut self,
        stored: &Stored<Kd::Kept>,
        fleet: &OnFleet,
        address: &Address,
    ) -> Option<Loaded<Kd::Kept>> {
        let is_lead = matches!(self.claim, Claim::Lead(_));
        let stamp = self.function.home.versions.now();
        if is_lead
            && self.basis.options.reaches(Level::L2)
            && fleet.settings().on_partition == OnPartition::Serve
            && let Ok(loaded) = stored.find_latest(address, self.function.site.options.linger())
            && self.function.home.versions.never_heard_of(&loaded.about)
            && self.function.suits(&loaded.about, self.frame.caller())
            && let Some(loaded) = self.set_aside(loaded, stamp)
        {
            self.count_hit(&loaded, |counters| &counters.hits_l2);
            return Some(loaded);
        }
        self.count_miss(Some(Miss::Unavailable));
        None
    }

    async fn ask(
        &mut self,
        stored: &Stored<Kd::Kept>,
        fleet: &OnFleet,
        asking: &Asking<'_>,
        glanced: Glanced,
    ) -> Result<Option<Loaded<Kd::Kept>>, ()> {
        let begun = Instant::now();
        if !matches!(glanced, Glanced::NotTried) {
            self.note_asked(stored);
        }
        let (mut patience, mut has_looked) = match glanced {
            Glanced::Nothing(left) => (left, true),
            Glanced::Overdue(left) => (left, false),
            Glanced::NotTried | Glanced::InVain => (fleet.patience(), false),
        };
        let mut waiter = None;
        loop {
            // Before anything is read: what is heard from here on reaches what is found.
            let stamp = self.function.home.versions.now();
            self.heard = stored.heard();
            // What is near is what is to be replaced, where something is.
            if waiter.is_none()
                && !self.renews()
                && let Some((copy, tier)) =
                    self.nearer(stored, fleet, asking, &mut patience).await?
            {
                self.begin_at(stamp);
                self.count_hit(&copy, tier);
                return Ok(Some(copy));
            }
            if !mem::take(&mut has_looked) {
                self.note_asking(stored);
                let look = stored.look_up(fleet, asking, waiter.is_some(), &mut patience);
                match look.await.map_err(drop)? {
                    Ok(loaded) => {
                        if let Some(loaded) = self.set_aside(loaded, stamp) {
                            self.begin_at(stamp);
                            self.count_found(&loaded, waiter.is_some());
                            return Ok(Some(loaded));
                        }
                        self.basis.blame(Miss::Expired);
                    }
                    Err(why) => {
                        self.overdue = None;
                        self.basis.blame(why);
                    }
                }
            }
            if !self.is_stale_at_hand() {
                self.count_miss(None);
            }
            if self.is_put_off(asking.address()) {
                // There is something to serve instead, and nobody waits for it.
                self.count_miss(None);
                self.fleet = Fleet::Barred;
                return Ok(None);
            }
            if !self.basis.options.stores() {
                // Who stores nothing keeps nobody from computing.
                self.count_miss(None);
                self.fleet = Fleet::Barred;
                return Ok(None);
            }
            // What is computed is valid by what is captured now.
            self.note_asking(stored);
            let claim = stored.claim(fleet, asking, (stamp, false), &mut patience);
            if let Some(granted) = claim.await.map_err(drop)? {
                self.begin_at(stamp);
                // What its last holder found may be there by now.
                let look = stored.look_up(fleet, asking, false, &mut patience);
                let loaded = look.await.map_err(drop)?.ok();
                self.overdue = None;
                if let Some(loaded) = loaded.and_then(|it| self.set_aside(it, stamp)) {
                    self.count_miss(None);
                    self.function.counters.joins_l3.add(1);
                    return Ok(Some(loaded));
                }
                self.count_miss(None);
                self.grant(Granted { patience, ..granted });
                return Ok(None);
            }
            if let Some(stale) = self.take_stale() {
                self.begin_at(stamp);
                self.count_taken(&stale);
                return Ok(Some(stale));
            }
            self.count_miss(None);
            if !self.may_wait || self.is_in_a_hurry() {
                self.is_held = true;
                return Ok(None);
            }
            // Inside another computation it might wait for itself (F2).
            let is_inside = self.frame.caller().is_some();
            if is_inside || begun.elapsed() >= self.function.site.options.wait {
                self.fleet = Fleet::Barred;
                return Ok(None);
            }
            match &waiter {
                // Looked at once more: its end may have been heard before anyone listened.
                None => waiter = Some(fleet.join(asking.place())),
                Some(waiter) => {
                    let left = self.function.site.options.wait.saturating_sub(begun.elapsed());
                    let left = self.time_left().unwrap_or(left).min(left);
                    waiter.wait(clock::pause(PAUSE.min(left))).await;
                }
            }
            // It is not the tier that this waited for.
            patience = fleet.patience();
        }
    }

    /// A copy that is kept nearer, if the tier says that it may be served.
    async fn nearer(
        &self,
        stored: &Stored<Kd::Kept>,
        fleet: &OnFleet,
        asking: &Asking<'_>,
        patience: &mut Patience,
    ) -> Result<Option<(Loaded<Kd::Kept>, TierHits)>, ()> {
        let mut refused = None;
        let said = self.basis.options;
        for level in [Level::L1, Level::L2].into_iter().filter(|it| said.reaches(*it)) {
            let (copy, tier): (_, TierHits) = match level {
                Level::L1 => (self.suspect(), |counters| &counters.rechecks),
                // Whether it is the latest, the store says.
                _ => (stored.find(asking.address()).ok(), |counters| &counters.hits_l2),
            };
            let Some(copy) = copy else { continue };
            let origin = copy.about.captured.as_ref().map(|it| it.origin);
            // What both are of is asked about once.
            if origin.is_none() || origin == refused {
                continue;
            }
            refused = origin;
            if let Some(copy) = stored.confirm(fleet, asking, copy, patience).await.map_err(drop)? {
                return Ok(Some((copy, tier)));
            }
        }
        Ok(None)
    }

    /// What was in memory when this process may not have been told of its end.
    fn suspect(&self) -> Option<Loaded<Kd::Kept>> {
        let (Claim::Lead(lead), function) = (&self.claim, &self.function) else { return None };
        let lost = (function.home.lost(), self.time());
        let suspect = function.memory.suspect(self.basis.hash, lead, lost, |entry| {
            (self.kind.serve(&entry.value), Arc::clone(&entry.about), entry.expires)
        });
        let (out, about, expires) = suspect?;
        let value = self.kind.keep(&out)?;
        Some(Loaded { value, about: outward(&about), expires, packed: None })
    }

    /// Takes the right to compute from whoever has it.
    async fn seize(
        &mut self,
        stored: &Stored<Kd::Kept>,
        fleet: &OnFleet,
        asking: &Asking<'_>,
    ) -> Result<Option<Loaded<Kd::Kept>>, ()> {
        self.count_miss(None);
        let mut patience = fleet.patience();
        let stamp = self.since();
        let claim = stored.claim(fleet, asking, (stamp, true), &mut patience);
        match claim.await.map_err(drop)? {
            Some(granted) => self.grant(granted),
            None => self.fleet = Fleet::Barred,
        }
        Ok(None)
    }

    /// Who joins from here on is late for what comes now, unless that would be kept in this process for
    /// longer.
    fn note_asking(&self, stored: &Stored<Kd::Kept>) {
        if let Claim::Lead(lead) = &self.claim
            && !self.function.is_kept_near(stored)
        {
            lead.flight.ask(lead.term);
        }
    }

    /// The same for all who joined, where what is there was asked for before anyone could.
    fn note_asked(&self, stored: &Stored<Kd::Kept>) {
        if let Claim::Lead(lead) = &self.claim
            && !self.function.is_kept_near(stored)
        {
            lead.flight.asked(lead.term);
        }
    }

    fn note_computing(&self) {
        if let Claim::Lead(lead) = &self.claim {
            lead.flight.compute(lead.term);
        }
    }

    fn grant(&mut self, granted: Granted) {
        self.fleet = Fleet::Granted(granted);
        self.frame.share();
    }

    /// What is found from here on counts as begun now.
    fn begin_at(&mut self, stamp: Stamp) {
        if let Claim::Lead(lead) = &mut self.claim {
            lead.stamp = stamp;
        }
    }

    fn count_found(&mut self, loaded: &Loaded<Kd::Kept>, has_waited: bool) {
        if has_waited || self.basis.missed.is_none() {
            // It has been counted as a miss.
            self.function.counters.joins_l3.add(1);
        } else {
            self.count_hit(loaded, |counters| &counters.hits_l3);
        }
    }

    /// Counts the call as a hit in a tier. It is no miss, then.
    fn count_hit(&mut self, loaded: &Loaded<Kd::Kept>, tier: TierHits) {
        self.basis.missed = None;
        let age = self.time().now().since(loaded.about.born);
        self.function.count_read(self.kind, tier, &loaded.value, age);
    }

    /// Whether what is computed may be kept anywhere but in memory: on the disk only what is in the
    /// tier.
    pub(super) fn may_leave(&self) -> bool {
        !self.has_fleet() || self.is_granted()
    }

    /// Whether what is computed may be kept in the tier.
    pub(super) fn is_granted(&self) -> bool {
        matches!(self.fleet, Fleet::Granted(_))
    }

    /// Makes a value ready for the tier, if it may go there.
    pub(super) fn consign(
        &mut self,
        packed: &Packed,
        about: &mut About,
        expires: Moment,
    ) -> Option<Consignment> {
        let granted = match mem::replace(&mut self.fleet, Fleet::Barred) {
            Fleet::Granted(granted) => granted,
            other => {
                self.fleet = other;
                return None;
            }
        };
        let (stored, address) = (self.function.stored.as_ref()?, self.basis.address.as_ref()?);
        stored.consign(address, granted, (packed, about, expires))
    }

    /// Notes what is valid under the versions that were captured for those who make something of it.
    pub(super) fn testify(&mut self, about: &mut About) {
        let Fleet::Witnessed(captured) = &self.fleet else { return };
        let Some(fleet) = self.function.home.fleet() else { return };
        let captured = fleet.ending(captured.clone());
        about.captured = vouched(captured, about, &outward(about)).map(Arc::new);
    }

    /// Whether a value may be kept in memory.
    pub(super) fn permits(&self, is_delivered: bool) -> bool {
        let Some(fleet) = self.tier() else { return true };
        let may_serve = fleet.settings().on_partition == OnPartition::Serve;
        let is_away = |marks: &Marks| {
            let (stored, address) = (self.function.stored.as_ref(), self.basis.address.as_ref());
            let asking = || stored.zip(address).map(|(it, address)| it.asking(address, marks));
            !fleet.is_up() || asking().is_some_and(|asking| !asking.is_up(fleet))
        };
        is_delivered || matches!(&self.fleet, Fleet::Down(marks) if may_serve && is_away(marks))
    }
}

impl<K: OwnedKey, Kd: Kind> OnItsWay<K, Kd> {
    /// Waits for the tier's answer, lands the value, and returns it.
    ///
    /// # Cancellation
    ///
    /// Dropped, it is given up to whoever waits for it, who may find it in the tier.
    pub(crate) async fn arrive(self) -> Finished<Kd::Out> {
        let Self { mut work, cargo, consignment } = self;
        let function = Arc::clone(&work.function);
        let is_delivered = match &function.stored {
            Some(stored) => stored.deliver(consignment).await,
            None => false,
        };
        work.settle(cargo, is_delivered)
    }
}
