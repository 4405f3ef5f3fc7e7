//! Entries that are fresh, and near the end of their time: served, and computed anew by one.

use super::Memory;
use super::flights::Lead;
use super::hashed::{Known, Probe};
use crate::clock::TimeSource;
use crate::entry::{Entry, Marks};
use crate::held;
use crate::key::OwnedKey;
use crate::planted::{self, Bug};
use crate::view::View;

impl<K: OwnedKey, V, S> Memory<K, V, S> {
    /// Reads an entry that is fresh, and says whether the call is to see to another one.
    pub(crate) fn get_near_end<W: View<Owned = K>, R>(
        &self,
        probe: Probe<'_, W>,
        time: &TimeSource,
        read: impl FnOnce(&Entry<V>) -> Option<R>,
    ) -> Option<(R, bool)> {
        let now = time.now();
        let held = held::hold();
        let shard = self.shard(probe.hash).read();
        let entry = shard.entries.get(&probe)?;
        // Files are not looked at under a lock.
        if entry.about.files.is_some() || self.holds(entry, time).is_err() {
            return None;
        }
        let about = &entry.about;
        let is_due = now >= entry.due && about.attempts.is_due(now) && about.renewal.is_due(now);
        let is_flying = || {
            let is_it = |(it, _): &(super::Hashed<K>, _)| {
                it.hash == probe.hash && probe.view.matches(&it.key)
            };
            shard.flights.find(probe.hash, is_it).is_some()
        };
        let is_due = is_due && !is_flying();
        let read = read(entry);
        drop(shard);
        drop(held);
        read.map(|read| (read, is_due))
    }

    /// Starts the flight that computes a fresh entry anew, unless that is seen to. `key` is taken then.
    pub(crate) fn renew(
        &self,
        hash: u64,
        key: &mut Option<K>,
        time: &TimeSource,
        marks: &Marks,
    ) -> Option<Lead<S>> {
        let held = held::hold();
        let mut shard = self.shard(hash).write();
        let owned = key.as_ref()?;
        let entry = shard.entries.peek(&Known { hash, key: owned })?;
        let is_due = time.now() >= entry.due && entry.about.attempts.is_due(time.now());
        let is_it = |(it, _): &(super::Hashed<K>, _)| it.hash == hash && it.key == *owned;
        let is_flying = || shard.flights.find(hash, is_it).is_some();
        if !is_due || (is_flying() && !planted::is(Bug::RenewedBeside)) {
            return None;
        }
        let lead = self.take_off(&mut shard, hash, key, marks);
        drop(shard);
        drop(held);
        Some(lead)
    }

    /// The same for what other tiers have, and memory does not.
    pub(crate) fn renew_elsewhere(
        &self,
        hash: u64,
        key: &mut Option<K>,
        marks: &Marks,
    ) -> Option<Lead<S>> {
        let held = held::hold();
        let mut shard = self.shard(hash).write();
        let owned = key.as_ref()?;
        let is_it = |(it, _): &(super::Hashed<K>, _)| it.hash == hash && it.key == *owned;
        if shard.flights.find(hash, is_it).is_some() {
            return None;
        }
        let lead = self.take_off(&mut shard, hash, key, marks);
        drop(shard);
        drop(held);
        Some(lead)
    }
}
