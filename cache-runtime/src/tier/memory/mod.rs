//! L1: the typed entries of one function, and its computations in flight.
//!
//! 1. Entry and flight of a key live in one shard, under one lock: whoever finds neither has made
//!    the flight before anyone else looks.
//! 2. A flight's stamp is read under that lock, so a sweep sees the flight or a later stamp.
//! 3. Only the flight that stands in the table stores, and it leaves the table as it does.
//! 4. Nothing of the user's is dropped under a lock.

mod bounds;
mod flights;
mod hashed;
mod overdue;
mod renewal;

pub(crate) use self::bounds::Capacity;
pub(crate) use self::flights::{Begun, Lead};
pub(crate) use self::hashed::Probe;
pub(crate) use self::overdue::{Examined, Leniency};

use self::bounds::{Evictions, SHARD_ENTRIES, Weigh};
use self::hashed::{Carried, Hashed, Known};
use super::Miss;
use crate::clock::{Moment, TimeSource};
use crate::counters::Counters;
use crate::entry::{About, Entry, Stamp};
use crate::flight::Flight;
use crate::held::{self, Held};
use crate::key::OwnedKey;
use crate::planted::{self, Bug};
use crate::sync::{Mutex, RwLock, RwLockWriteGuard};
use crate::versions::Versions;
use crate::view::View;
use hashbrown::HashTable;
use quick_cache::OptionsBuilder;
use quick_cache::unsync::Cache;
use std::any::Any;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

pub(crate) struct Memory<K, V, S> {
    shards: Box<[RwLock<Shard<K, V, S>>]>,
    /// Stamps of computations that are in no table.
    alone: Mutex<Vec<Stamp>>,
    versions: Arc<Versions>,
    counters: Arc<Counters>,
    weighed: bool,
}

struct Shard<K, V, S> {
    entries: Cache<Hashed<K>, Entry<V>, Weigh, BuildHasherDefault<Carried>, Evictions>,
    flights: HashTable<(Hashed<K>, Arc<Flight<S>>)>,
}

impl<K: Eq, V, S> Shard<K, V, S> {
    /// The entry of a flight's key, without its use being noticed.
    fn entry_of(&self, hash: u64, flight: &Arc<Flight<S>>) -> Option<&Entry<V>> {
        let is_it = |(_, it): &(Hashed<K>, Arc<Flight<S>>)| Arc::ptr_eq(it, flight);
        let (Hashed { key, .. }, _) = self.flights.find(hash, is_it)?;
        self.entries.peek(&Known { hash, key })
    }
}

/// A computed value on its way into the cache, and when it expires.
pub(crate) type Arrival<V> = (V, Moment);

impl<K, V, S> Memory<K, V, S>
where
    K: Eq,
{
    pub(crate) fn new(
        capacity: Capacity,
        versions: Arc<Versions>,
        counters: Arc<Counters>,
    ) -> Self {
        let count = capacity.shards();
        // Rounded down: all shards together keep no more than was asked for.
        let limit = capacity.limit / count as u64;
        let expected = if capacity.weighed { SHARD_ENTRIES as u64 } else { limit };
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(expected).unwrap_or(usize::MAX))
            .weight_capacity(limit)
            .build()
            .expect("both required options are given");
        let shard = || Shard {
            entries: Cache::with_options(
                options.clone(),
                Weigh { weighed: capacity.weighed },
                BuildHasherDefault::default(),
                Evictions(Arc::clone(&counters)),
            ),
            flights: HashTable::new(),
        };
        Self {
            shards: (0..count).map(|_| RwLock::new(shard())).collect(),
            alone: Mutex::new(Vec::new()),
            versions,
            counters,
            weighed: capacity.weighed,
        }
    }

    #[inline]
    fn shard(&self, hash: u64) -> &RwLock<Shard<K, V, S>> {
        // The map inside a shard uses the low bits and the top seven; these are others.
        let bits = (hash >> 40) as usize;
        &self.shards[bits & (self.shards.len() - 1)]
    }

    /// Reads a valid, fresh entry, or says why there is none. `read` runs under a lock that other
    /// readers share.
    ///
    /// The reason goes elsewhere than the value: in one result it would be laid into the value's
    /// place, and moving that a byte at a time stalls for longer than the rest of a hit takes.
    #[inline]
    pub(crate) fn get<W: View<Owned = K>, R>(
        &self,
        probe: Probe<'_, W>,
        time: &TimeSource,
        why: &mut Miss,
        read: impl FnOnce(&Entry<V>) -> R,
    ) -> Option<R> {
        let held = held::hold();
        let shard = self.shard(probe.hash).read();
        let Some(entry) = shard.entries.get(&probe) else {
            *why = Miss::Absent;
            return None;
        };
        if let Err(reason) = self.judge(entry, time) {
            *why = reason;
            return None;
        }
        if entry.files().is_some_and(|files| !files.hold_at_a_glance()) {
            let about = Arc::clone(&entry.about);
            drop(shard);
            drop(held);
            return self.get_by_files(probe, &about, why, read);
        }
        let read = read(entry);
        // Before the value is moved: right behind the writes of its clone, a move waits for them.
        drop(shard);
        drop(held);
        Some(read)
    }

    /// Reads an entry that may be served but for its files, which are looked at without the lock.
    #[cold]
    #[inline(never)]
    fn get_by_files<W: View<Owned = K>, R>(
        &self,
        probe: Probe<'_, W>,
        about: &Arc<About>,
        why: &mut Miss,
        read: impl FnOnce(&Entry<V>) -> R,
    ) -> Option<R> {
        *why = Miss::Invalidated;
        if !about.files_hold() {
            return None;
        }
        let held = held::hold();
        let shard = self.shard(probe.hash).read();
        // Another may have come in its place.
        let entry = shard.entries.get(&probe).filter(|it| Arc::ptr_eq(&it.about, about))?;
        let read = read(entry);
        drop(shard);
        drop(held);
        Some(read)
    }

    /// Whether an entry may be served now with nothing else to see to, its files aside.
    #[inline]
    fn judge(&self, entry: &Entry<V>, time: &TimeSource) -> Result<(), Miss> {
        if entry.due != Moment::NEVER && time.now() >= entry.due {
            return Err(Miss::Expired);
        }
        self.check(entry)
    }

    /// Whether an entry may be served now, its files aside.
    fn holds(&self, entry: &Entry<V>, time: &TimeSource) -> Result<(), Miss> {
        if entry.expires != Moment::NEVER && time.now() >= entry.expires {
            return Err(Miss::Expired);
        }
        self.check(entry)
    }

    /// Whether nothing that an entry depends on was invalidated.
    #[inline]
    fn check(&self, entry: &Entry<V>) -> Result<(), Miss> {
        let since = entry.valid_at();
        if since != self.versions.now() {
            let filtered = entry.slots.few();
            let clock = filtered
                .and_then(|slots| self.versions.check_slots(slots, since))
                .or_else(|| self.versions.check(&entry.about, since))
                .ok_or(Miss::Invalidated)?;
            entry.remember(clock);
        }
        Ok(())
    }

    /// Takes a flight out of the table and stores what it found, if there is something to keep and
    /// nothing overtook it. The caller lands the flight afterwards.
    pub(crate) fn land(
        &self,
        hash: u64,
        lead: &Lead<S>,
        about: &Arc<About>,
        arrival: Option<Arrival<V>>,
        time: &TimeSource,
    ) {
        let stamp = if planted::is(Bug::StampAtStore) { self.versions.now() } else { lead.stamp };
        let fresh = arrival.map(|arrival| self.admit(arrival, stamp, about));
        let held = held::hold();
        let mut shard = self.shard(hash).write();
        let found = shard.flights.find_entry(hash, |(_, it)| Arc::ptr_eq(it, &lead.flight));
        let key = match found {
            Ok(entry) if lead.flight.term() == lead.term => Some(entry.remove().0.0.key),
            _ => None,
        };
        match (fresh, key) {
            (Some(Some(entry)), Some(key)) => {
                let known = shard.entries.peek(&Known { hash, key: &key });
                // Of what was stored beside this, and began before it, threads may have copies.
                let is_displaced = known.is_some_and(|it| self.judge(it, time).is_ok());
                self.put_in(hash, key, entry, (shard, held));
                if is_displaced {
                    self.versions.displace(about.marks[0]);
                }
            }
            (fresh, key) => {
                drop(shard);
                drop(held);
                if fresh.is_some() {
                    self.counters.fenced_stores.add(1);
                }
                drop((fresh, key));
            }
        }
    }

    /// Stores a value that no flight stands for, unless there is one from what began later. What is in
    /// flight and began later goes on.
    pub(crate) fn store(
        &self,
        hash: u64,
        key: K,
        stamp: Stamp,
        about: &Arc<About>,
        arrival: Arrival<V>,
    ) {
        match self.admit(arrival, stamp, about) {
            Some(entry) => {
                let held = held::hold();
                let mut shard = self.shard(hash).write();
                let is_later = |it: &&Entry<V>| it.about.began > about.began;
                let later = shard.entries.peek(&Known { hash, key: &key }).filter(is_later);
                if later.is_some_and(|it| self.check(it).is_ok()) {
                    drop(shard);
                    drop(held);
                    self.counters.fenced_stores.add(1);
                    return;
                }
                let is_earlier = |it: &Flight<S>| it.began() < about.began;
                let fenced = shard
                    .flights
                    .find_entry(hash, |(it, flight)| {
                        it.hash == hash && it.key == key && is_earlier(flight)
                    })
                    .ok()
                    .map(|entry| entry.remove().0);
                self.put_in(hash, key, entry, (shard, held));
                drop(fenced);
                // Threads may have copies of what was there before, which nothing invalidated, even
                // if it made room for others in the meantime.
                self.versions.displace(about.marks[0]);
            }
            None => self.counters.fenced_stores.add(1),
        }
    }

    /// Stores what another tier had, unless there is something that may be served.
    pub(crate) fn promote(
        &self,
        hash: u64,
        key: K,
        stamp: Stamp,
        about: &Arc<About>,
        arrival: Arrival<V>,
        time: &TimeSource,
    ) {
        let Some(entry) = self.admit(arrival, stamp, about) else { return };
        let held = held::hold();
        let shard = self.shard(hash).write();
        let known = shard.entries.peek(&Known { hash, key: &key });
        // Looked at under the lock: there seldom is one.
        let keep = |it: &Entry<V>| self.judge(it, time).is_ok() && it.about.files_hold();
        if known.is_some_and(keep) {
            drop(shard);
            drop(held);
        } else {
            self.put_in(hash, key, entry, (shard, held));
        }
    }

    /// Makes an entry of a value, unless it has been overtaken.
    fn admit(&self, arrival: Arrival<V>, stamp: Stamp, about: &Arc<About>) -> Option<Entry<V>> {
        let valid = self.versions.check(about, stamp)?;
        let (value, expires) = arrival;
        Some(Entry::new(value, valid, expires, Versions::slots(about), Arc::clone(about)))
    }

    /// Puts an entry in.
    ///
    /// The lock comes last, so that it is the first to be dropped, whatever happens.
    fn put_in(&self, hash: u64, key: K, entry: Entry<V>, lock: Locked<'_, K, V, S>) {
        let (mut shard, held) = lock;
        if self.weighed && entry.about.weight > shard.entries.capacity() {
            self.counters.evictions_oversized.add(1);
            return;
        }
        self.counters.stores.add(1);
        let mut evicted = Vec::new();
        let mut replaced = None;
        if let Some(mut old) = shard.entries.peek_mut(&Known { hash, key: &key }) {
            replaced = Some((std::mem::replace(&mut *old, entry), key));
        } else {
            shard.entries.insert_with_lifecycle(Hashed { hash, key }, entry, &mut evicted);
        }
        drop(shard);
        drop(held);
        drop((evicted, replaced));
    }

    /// Reads an entry that might be served, without its use being noticed.
    pub(crate) fn peek<R>(
        &self,
        hash: u64,
        key: &K,
        time: &TimeSource,
        read: impl FnOnce(&Entry<V>) -> R,
    ) -> Result<R, Miss> {
        if held::is_held() {
            return Err(Miss::Unavailable);
        }
        let _held = held::hold();
        let shard = self.shard(hash).read();
        let entry = shard.entries.peek(&Known { hash, key }).ok_or(Miss::Absent)?;
        self.holds(entry, time)?;
        if entry.about.files_hold() { Ok(read(entry)) } else { Err(Miss::Invalidated) }
    }

    /// Removes an entry, to give its memory back; it has been invalidated already.
    pub(crate) fn remove(&self, hash: u64, key: &K) {
        if held::is_held() {
            return;
        }
        let held = held::hold();
        let mut shard = self.shard(hash).write();
        let overtaken =
            |entry: &Entry<V>| self.versions.check(&entry.about, entry.valid_at()).is_none();
        let removed = shard.entries.remove_if(&Known { hash, key }, overtaken);
        drop(shard);
        drop(held);
        drop(removed);
    }
}

type Locked<'a, K, V, S> = (RwLockWriteGuard<'a, Shard<K, V, S>>, Held);

/// An L1 of whatever types, for what concerns all of them.
pub(crate) trait AnyMemory: Any + Send + Sync {
    /// Remembers the clock in every valid entry, and returns the oldest computation in flight.
    fn sweep(&self) -> Option<Stamp>;

    /// Entries held, and what they weigh.
    fn usage(&self) -> Usage;

    fn counters(&self) -> &Arc<Counters>;
}

/// How full an L1 is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) entries: u64,
    pub(crate) weight: u64,
}

impl<K, V, S> AnyMemory for Memory<K, V, S>
where
    K: OwnedKey,
    V: Send + Sync + 'static,
    S: Send + Sync + 'static,
{
    fn sweep(&self) -> Option<Stamp> {
        let mut oldest = self.alone.lock().iter().min().copied();
        for shard in &self.shards {
            let shard = shard.read();
            for (_, entry) in shard.entries.iter() {
                if let Some(clock) = self.versions.check(&entry.about, entry.valid_at()) {
                    entry.remember(clock);
                }
            }
            let flying = shard.flights.iter().map(|(_, flight)| flight.stamp()).min();
            oldest = oldest.into_iter().chain(flying).min();
        }
        oldest
    }

    fn usage(&self) -> Usage {
        self.shards.iter().fold(Usage::default(), |usage, shard| {
            let shard = shard.read();
            Usage {
                entries: usage.entries + shard.entries.len() as u64,
                weight: usage.weight + shard.entries.weight(),
            }
        })
    }

    fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}
