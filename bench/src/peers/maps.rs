//! Caches without an attribute, made as their users would, but for the hasher of `quick_cache`:
//! it is larder's.

use ahash::RandomState;
use quick_cache::UnitWeighter;
use quick_cache::sync::DefaultLifecycle;
use std::hash::Hash;
use std::time::Duration;

const LIFETIME: Duration = Duration::from_hours(1);

/// A `quick_cache` with the sharding it comes with.
pub(crate) type Quick<K, V> = quick_cache::sync::Cache<K, V, UnitWeighter, RandomState>;

pub(crate) fn quick<K: Eq + Hash, V: Clone>(capacity: usize) -> Quick<K, V> {
    let weight = u64::try_from(capacity).expect("a capacity fits into 64 bits");
    let hasher = RandomState::new();
    Quick::with(capacity, weight, UnitWeighter, hasher, DefaultLifecycle::default())
}

pub(crate) fn moka<K, V>(capacity: usize) -> moka::sync::Cache<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let weight = u64::try_from(capacity).expect("a capacity fits into 64 bits");
    moka::sync::Cache::builder().max_capacity(weight).time_to_live(LIFETIME).build()
}

pub(crate) fn moka_async<K, V>(capacity: usize) -> moka::future::Cache<K, V>
where
    K: Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let weight = u64::try_from(capacity).expect("a capacity fits into 64 bits");
    moka::future::Cache::builder().max_capacity(weight).time_to_live(LIFETIME).build()
}
