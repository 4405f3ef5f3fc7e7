//! How much is kept, and what happens to what is not.

use super::hashed::Hashed;
use crate::counters::Counters;
use crate::entry::Entry;
use quick_cache::{Lifecycle, Weighter};
use std::sync::Arc;

/// Most shards a function's entries are spread over, and fewest entries a shard is made for.
const SHARDS: usize = 32;
pub(super) const SHARD_ENTRIES: usize = 256;

/// How much a function may keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// In entries, or in weight.
    pub(crate) limit: u64,
    pub(crate) weighed: bool,
}

impl Capacity {
    /// How many shards serve a function: a power of two, each large enough to evict sensibly.
    pub(super) fn shards(self) -> usize {
        // What weighs as much as is allowed in all must find room in one of them.
        let most = if self.weighed { 1 } else { SHARDS };
        let wanted = usize::try_from(self.limit / SHARD_ENTRIES as u64).unwrap_or(most);
        let wanted = wanted.clamp(1, most);
        1 << wanted.ilog2()
    }
}

#[derive(Clone)]
pub(crate) struct Weigh {
    pub(crate) weighed: bool,
}

impl<K, V> Weighter<Hashed<K>, Entry<V>> for Weigh {
    fn weight(&self, _: &Hashed<K>, entry: &Entry<V>) -> u64 {
        // Nothing weighs nothing: what does is never evicted.
        if self.weighed { entry.about.weight.max(1) } else { 1 }
    }
}

/// Counts what is evicted and hands it out to be dropped outside the lock.
#[derive(Clone)]
pub(crate) struct Evictions(pub(crate) Arc<Counters>);

impl<K, V> Lifecycle<Hashed<K>, Entry<V>> for Evictions {
    type RequestState = Vec<(Hashed<K>, Entry<V>)>;

    fn on_evict(&self, evicted: &mut Self::RequestState, key: Hashed<K>, entry: Entry<V>) {
        self.0.evictions_capacity.add(1);
        evicted.push((key, entry));
    }
}
