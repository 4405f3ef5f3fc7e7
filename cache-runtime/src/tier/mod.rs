//! The tiers: a typed one in memory, and bytes behind [`Backend`] for those beyond it.
//!
//! Tiers never know each other; what is asked in which order is decided above them.

pub(crate) mod memory;
pub(crate) mod noop;

use crate::error::{Error, Level};
pub(crate) use crate::lookup::Miss;
use std::future::Future;
use std::pin::Pin;

/// What a tier beyond memory answers with, sooner or later.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A tier that holds bytes: one object-safe trait under the typed L1.
///
/// No method fails: a tier that can't be reached is a miss, and a store that is lost is counted by
/// the tier.
pub(crate) trait Backend: Send + Sync {
    /// Which tier this is.
    fn level(&self) -> Level;

    /// Returns the envelope stored under a key's digest.
    fn read<'a>(&'a self, digest: &'a [u8; 32]) -> Answer<'a, Result<Vec<u8>, Miss>>;

    /// Stores an envelope under a key's digest.
    fn store<'a>(&'a self, digest: &'a [u8; 32], envelope: &'a [u8]) -> Answer<'a, ()>;

    /// Ends when everything given to `store` has arrived.
    fn close(&self) -> Answer<'_, Result<(), Error>>;
}
