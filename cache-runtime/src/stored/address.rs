//! Where the value of one call is kept, and what names it.

use super::identity::Identity;
use crate::mark::{Mark, beyond};

/// The longest a key that leaves the process may be.
pub(crate) const LONGEST_KEY: usize = 1 << 20;

/// One call, beyond this process.
#[derive(Debug)]
pub(crate) struct Address {
    /// The row of the store.
    pub(crate) id: u64,
    /// The identity of the function, and the canonical form of the key behind it.
    pub(crate) key: Vec<u8>,
    keys: [u8; 32],
}

impl Address {
    /// `key` is the identity of the function's values with the canonical form of a key behind it.
    pub(super) fn new(identity: &Identity, key: Vec<u8>, shape: &[u8; 16]) -> Self {
        let mut hasher = blake3::Hasher::new();
        // Programs that know the function with another shape have a row of their own.
        hasher.update(shape).update(&key);
        let digest = *hasher.finalize().as_bytes();
        let id = u64::from_le_bytes(digest[..8].try_into().expect("eight of 32 bytes"));
        Self { id, key, keys: identity.keys }
    }

    /// What the call's invalidation records.
    pub(crate) fn mark(&self) -> Mark {
        beyond::key(&self.keys, &self.key[32..])
    }
}
