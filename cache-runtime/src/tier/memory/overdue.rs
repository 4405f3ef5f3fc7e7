//! Entries whose time is over, while they may still be served: to those who would wait for another, and
//! to who could not compute another.
//!
//! 1. What was invalidated is none of them, whatever fails.

use super::Memory;
use super::hashed::{Hashed, Known};
use crate::clock::{Moment, TimeSource};
use crate::entry::Entry;
use crate::flight::Flight;
use crate::held;
use crate::planted::{self, Bug};
use std::sync::Arc;
use std::time::Duration;

/// How long after its time an entry may be served.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Leniency {
    /// While it is computed anew.
    pub(crate) stale: Duration,
    /// If that fails.
    pub(crate) grace: Duration,
    /// Whether other tiers are asked before what failed is taken for failing still.
    pub(crate) asks_elsewhere: bool,
}

/// What is known of an entry beside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Examined {
    pub(crate) is_valid: bool,
    /// Which of its marks was recorded since, if it is not valid for one of them.
    pub(crate) culprit: Option<usize>,
}

impl<K: Eq, V, S> Memory<K, V, S> {
    /// For how long an entry's time has been over, if it would be valid otherwise and may be served for so
    /// long.
    pub(super) fn overdue(
        &self,
        entry: &Entry<V>,
        now: Moment,
        most: Duration,
    ) -> Option<Duration> {
        let late = now.since(entry.expires);
        let is_over = entry.expires != Moment::NEVER && now >= entry.expires;
        let is_valid = || {
            planted::is(Bug::FormerUnchecked)
                || self.versions.check(&entry.about, entry.valid_at()).is_some()
        };
        let is_in_time = planted::is(Bug::FormerForEver) || late < most;
        // Files are not looked at under a lock.
        let is_known = entry.about.files.is_none();
        (is_over && is_in_time && is_known && is_valid()).then_some(late)
    }

    /// Whether a key is being computed.
    pub(crate) fn is_flying(&self, hash: u64, key: &K) -> bool {
        let _held = held::hold();
        let is_it = |(it, _): &(Hashed<K>, _)| it.hash == hash && it.key == *key;
        self.shard(hash).read().flights.find(hash, is_it).is_some()
    }

    /// Looks at the entry of a key, whether or not it may be served: without its use being noticed.
    pub(crate) fn examine<R>(
        &self,
        hash: u64,
        key: &K,
        read: impl FnOnce(&Entry<V>, Examined) -> R,
    ) -> Option<R> {
        if held::is_held() {
            return None;
        }
        let _held = held::hold();
        let shard = self.shard(hash).read();
        let entry = shard.entries.peek(&Known { hash, key })?;
        let since = entry.valid_at();
        let is_valid = self.versions.check(&entry.about, since).is_some();
        let examined = Examined {
            is_valid,
            culprit: if is_valid { None } else { self.versions.culprit(&entry.about, since) },
        };
        Some(read(entry, examined))
    }

    /// Reads the entry of a flight's key, which could not be computed anew, or not yet, if it may be served
    /// nevertheless, with how long its time has been over: for so long at the most, and while it is fresh
    /// only if that is asked for.
    pub(crate) fn last_resort<R>(
        &self,
        (hash, flight): (u64, &Arc<Flight<S>>),
        time: &TimeSource,
        (most, may_be_fresh): (Duration, bool),
        read: impl FnOnce(&Entry<V>, Duration) -> Option<R>,
    ) -> Option<R> {
        let now = time.now();
        let _held = held::hold();
        let shard = self.shard(hash).read();
        let entry = shard.entry_of(hash, flight)?;
        if may_be_fresh && entry.about.files.is_none() && self.holds(entry, time).is_ok() {
            return read(entry, Duration::ZERO);
        }
        self.overdue(entry, now, most).and_then(|late| read(entry, late))
    }
}
