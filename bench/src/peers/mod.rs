//! The same functions, cached by each contestant in its own way.
//!
//! All are made for as many entries, more than any suite of hits asks for, and keep them for an
//! hour where they know time.

pub(crate) mod by_hand;
pub(crate) mod cached_functions;
pub(crate) mod larder_functions;
pub(crate) mod maps;
pub(crate) mod memoize_functions;
pub(crate) mod remote_functions;
pub(crate) mod stored_functions;
pub(crate) mod stores;

/// Entries each may keep. Attributes that take a literal only repeat the number.
pub(crate) const CAPACITY: usize = 200_000;

/// Something with a method: the tenant is part of the key.
pub(crate) struct Directory {
    pub(crate) tenant: u64,
}
