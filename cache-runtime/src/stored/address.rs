//! Where the value of one call is kept, and what names it.

use super::identity::Identity;
use crate::codec::canonical::Unencodable;
use crate::mark::{Mark, beyond};
use std::sync::OnceLock;

/// The longest a key that leaves the process may be.
const LONGEST_KEY: usize = 1 << 20;

/// Where in an address its key begins, and in that the canonical form.
const KEY: usize = 16;
const CANONICAL: usize = KEY + 32;

/// One call, beyond this process.
#[derive(Debug)]
pub(crate) struct Address {
    /// The row of the store.
    pub(crate) id: u64,
    /// The shape of the values, the identity of the function, and the canonical form of the key: in
    /// one piece, as that is hashed far faster. Programs that know the function with another shape
    /// have a row of their own.
    bytes: Vec<u8>,
    /// What the marks of the function's keys are made from.
    keys: [u8; 32],
    /// Made when it is first asked for: not every hit has a use for it.
    mark: OnceLock<Mark>,
}

impl Address {
    /// `write` writes the canonical form of the key. Nothing if it has none, or one that is too long.
    pub(super) fn new(
        identity: &Identity,
        shape: &[u8; KEY],
        write: &dyn Fn(&mut Vec<u8>) -> Result<(), Unencodable>,
    ) -> Option<Self> {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(shape);
        bytes.extend_from_slice(&identity.values);
        write(&mut bytes).ok().filter(|()| bytes.len() - KEY <= LONGEST_KEY)?;
        let digest = *blake3::hash(&bytes).as_bytes();
        let id = u64::from_le_bytes(digest[..8].try_into().expect("eight of 32 bytes"));
        Some(Self { id, bytes, keys: identity.keys, mark: OnceLock::new() })
    }

    /// The identity of the function, and the canonical form of the key behind it.
    pub(crate) fn key(&self) -> &[u8] {
        &self.bytes[KEY..]
    }

    /// What the call's invalidation records.
    pub(crate) fn mark(&self) -> Mark {
        *self.mark.get_or_init(|| beyond::key(&self.keys, &self.bytes[CANONICAL..]))
    }
}
