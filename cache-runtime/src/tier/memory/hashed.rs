//! Keys in the map: each brings along the hash of the view it was made from.

use crate::view::View;
use quick_cache::Equivalent;
use std::hash::{Hash, Hasher};

/// A key with the hash of the view it was made from.
pub(crate) struct Hashed<K> {
    pub(crate) hash: u64,
    pub(crate) key: K,
}

/// A call's view of a key, with its hash.
pub(crate) struct Probe<'a, W> {
    pub(crate) hash: u64,
    pub(crate) view: &'a W,
}

impl<W> Clone for Probe<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Probe<'_, W> {}

impl<W: View> Equivalent<Hashed<W::Owned>> for Probe<'_, W> {
    #[inline]
    fn equivalent(&self, key: &Hashed<W::Owned>) -> bool {
        self.hash == key.hash && self.view.matches(&key.key)
    }
}

impl<W> Hash for Probe<'_, W> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K> Hash for Hashed<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A hasher for what brings its hash along.
#[derive(Default)]
pub(crate) struct Carried(u64);

impl Hasher for Carried {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only whole hashes are written")
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// An owned key, with the hash of the view it was made from, looked for.
pub(crate) struct Known<'a, K> {
    pub(crate) hash: u64,
    pub(crate) key: &'a K,
}

impl<K: Eq> Equivalent<Hashed<K>> for Known<'_, K> {
    fn equivalent(&self, key: &Hashed<K>) -> bool {
        self.hash == key.hash && *self.key == key.key
    }
}

impl<K> Hash for Known<'_, K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl<K: Eq> PartialEq for Hashed<K> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.key == other.key
    }
}

impl<K: Eq> Eq for Hashed<K> {}
