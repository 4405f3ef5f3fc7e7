//! What keys, marks and tables are hashed with. Random in every process, so no hash ever leaves it.

use std::collections;

pub(crate) type Seed = ahash::RandomState;

/// A map of ours, from keys that no hash was made of yet.
pub(crate) type HashMap<K, V> = collections::HashMap<K, V, Seed>;
