//! The computations in flight beside the entries of an L1: begun, joined, given up.
//!
//! The invariants are those of the whole; a flight that has something to store lands there.

use super::hashed::{Hashed, Known};
use super::overdue::Leniency;
use super::{Memory, Shard};
use crate::clock::TimeSource;
use crate::entry::{Entry, Marks, Stamp};
use crate::flight::{Flight, Follower, Landing, Term};
use crate::held;
use crate::lookup::Served;
use crate::planted::{self, Bug};
use std::sync::Arc;

/// What a caller that found no entry is to do.
pub(crate) enum Begun<R, S> {
    /// An entry came to be in the meantime.
    Found(R),
    /// Compute, and land the flight.
    Lead(Lead<S>),
    /// Wait for the flight.
    Follow(Follower<S>),
}

/// A leader's claim to a flight.
#[derive(Debug)]
pub(crate) struct Lead<S> {
    pub(crate) flight: Arc<Flight<S>>,
    pub(crate) term: Term,
    pub(crate) stamp: Stamp,
}

impl<K: Eq, V, S> Memory<K, V, S> {
    /// Joins the flight of a key, or starts it.
    ///
    /// `key` is taken when it starts. A flight that began before `arrival` and is known to be
    /// overtaken since is left to those who wait for it already. An entry of which `read` makes
    /// nothing is as good as none.
    pub(crate) fn begin<R>(
        &self,
        hash: u64,
        key: &mut Option<K>,
        (time, leniency): (&TimeSource, Leniency),
        marks: &Marks,
        read: impl Fn(&Entry<V>, Served) -> Option<R>,
    ) -> Begun<R, S> {
        let mut overtaken = None;
        let held = held::hold();
        let mut guard = self.shard(hash).write();
        let shard = &mut *guard;
        let owned = key.as_ref().expect("the key is given back unless a flight takes it");
        let entry = shard.entries.get(&Known { hash, key: owned });
        if let Some(entry) = entry
            && self.holds(entry, time).is_ok()
            // Seldom looked at here: only if it came to be since the look-up.
            && entry.about.files_hold()
            && let Some(read) = read(entry, Served::Fresh)
        {
            return Begun::Found(read);
        }
        let most = leniency.stale.max(leniency.grace);
        let overdue = entry.filter(|_| !most.is_zero()).and_then(|entry| {
            let now = time.now();
            Some((entry, self.overdue(entry, now, most)?, now))
        });
        if let Some((entry, late, now)) = overdue
            && late < leniency.grace
            && !leniency.asks_elsewhere
            && !entry.about.attempts.is_due(now)
            && let Some(read) = read(entry, Served::Grace)
        {
            return Begun::Found(read);
        }
        let found = shard.flights.find_entry(hash, |(it, _)| it.hash == hash && it.key == *owned);
        if let Ok(entry) = found {
            let flight = &entry.get().1;
            if !self.versions.overtook(&flight.marks, flight.stamp()) {
                if let Some((entry, late, _)) = overdue
                    && late < leniency.stale
                    && let Some(read) = read(entry, Served::Stale)
                {
                    return Begun::Found(read);
                }
                return Begun::Follow(flight.join());
            }
            overtaken = Some(entry.remove().0);
        }
        let lead = self.take_off(shard, hash, key, marks);
        drop(guard);
        drop(held);
        drop(overtaken);
        Begun::Lead(lead)
    }

    /// Puts a new flight into the table, where there is none of its key.
    pub(super) fn take_off(
        &self,
        shard: &mut Shard<K, V, S>,
        hash: u64,
        key: &mut Option<K>,
        marks: &Marks,
    ) -> Lead<S> {
        let stamp = self.versions.now();
        let flight = Arc::new(Flight::new(Marks::from_slice(marks), stamp));
        let key = key.take().expect("a key starts one flight");
        let slot = (Hashed { hash, key }, Arc::clone(&flight));
        shard.flights.insert_unique(hash, slot, |(it, _)| it.hash);
        let term = flight.term();
        Lead { flight, term, stamp }
    }

    /// Reads the entry of a flight's key, if it has not expired and was valid before `lost`: whether it
    /// still is can't be told here.
    #[cfg(feature = "redis")]
    pub(crate) fn suspect<R>(
        &self,
        hash: u64,
        lead: &Lead<S>,
        (lost, time): (Stamp, &TimeSource),
        read: impl FnOnce(&Entry<V>) -> R,
    ) -> Option<R> {
        let _held = held::hold();
        let shard = self.shard(hash).read();
        let entry = shard.entry_of(hash, &lead.flight);
        let is_suspect = |it: &&Entry<V>| it.valid_at() < lost && time.now() < it.expires;
        entry.filter(is_suspect).map(read)
    }

    /// Whether a flight that nobody has taken over is that of a key. Of one in no table any more it can't be
    /// told: it is left to who waits for it.
    pub(crate) fn is_of(&self, hash: u64, lead: &Lead<S>, key: &K) -> bool {
        let _held = held::hold();
        let shard = self.shard(hash).read();
        let found = shard.flights.find(hash, |(_, it)| Arc::ptr_eq(it, &lead.flight));
        lead.flight.term() == lead.term && found.is_some_and(|(it, _)| it.key == *key)
    }

    /// Gives a flight up: to a follower if there is one, else for good.
    pub(crate) fn abandon(&self, hash: u64, lead: &Lead<S>) {
        let mut unwanted = None;
        let mut shard = self.shard(hash).write();
        if let Ok(entry) = shard.flights.find_entry(hash, |(_, it)| Arc::ptr_eq(it, &lead.flight))
            && lead.flight.term() == lead.term
            && !lead.flight.has_followers()
        {
            unwanted = Some(entry.remove().0);
        }
        drop(shard);
        drop(unwanted);
        lead.flight.abandon(lead.term);
        // The follower that was there may have left since.
        self.tidy(hash, &lead.flight);
    }

    /// Forgets a flight that was given up and that nobody waits for any more.
    pub(crate) fn tidy(&self, hash: u64, flight: &Arc<Flight<S>>) {
        if !flight.is_deserted() {
            return;
        }
        let mut shard = self.shard(hash).write();
        let found = shard.flights.find_entry(hash, |(_, it)| Arc::ptr_eq(it, flight)).ok();
        // Somebody may have joined it since; from here on nobody can.
        let unwanted = found.filter(|_| flight.is_deserted()).map(|entry| entry.remove().0);
        drop(shard);
        drop(unwanted);
    }

    /// Whether a follower may take what its leader found (V6).
    ///
    /// A computation that began after the follower arrived is always good enough: nothing the
    /// follower has to hear of can have come between.
    pub(crate) fn accepts(&self, landing: &Landing<S>, arrival: Stamp) -> bool {
        planted::is(Bug::JoinedUnchecked)
            || (landing.stamp >= arrival
                || self.versions.check(&landing.about, landing.stamp).is_some())
                && landing.about.files_hold()
    }

    /// Begins a computation that no other caller waits for.
    pub(crate) fn begin_alone(&self) -> Stamp {
        let mut alone = self.alone.lock();
        let stamp = self.versions.now();
        alone.push(stamp);
        stamp
    }

    /// The same as of an earlier reading, for which one that lasts was begun.
    pub(crate) fn begin_alone_at(&self, stamp: Stamp) {
        self.alone.lock().push(stamp);
    }

    /// Ends what `begin_alone` began.
    pub(crate) fn end_alone(&self, stamp: Stamp) {
        let mut alone = self.alone.lock();
        if let Some(at) = alone.iter().position(|it| *it == stamp) {
            alone.swap_remove(at);
        }
    }
}
