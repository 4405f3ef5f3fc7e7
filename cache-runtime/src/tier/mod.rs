//! The tiers: a typed one in memory, and bytes behind [`Backend`] for those beyond it.
//!
//! Tiers never know each other; what is asked in which order is decided above them.

pub(crate) mod memory;
#[cfg(test)]
mod noop;

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
#[cfg_attr(not(test), expect(dead_code, reason = "no tier beyond memory is there yet"))]
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

#[cfg(test)]
mod tests {
    use super::noop::Noop;
    use super::{Backend, Miss};
    use crate::error::Level;
    use crate::sync::block_on;
    use std::sync::Arc;

    #[test]
    fn a_backend_is_used_without_knowing_which() {
        let backend: Arc<dyn Backend> = Arc::new(Noop::new(Level::L2));
        block_on(backend.store(&[0; 32], b"envelope"));
        assert_eq!(block_on(backend.read(&[0; 32])), Err(Miss::Absent));
        assert!(block_on(backend.close()).is_ok());
        assert_eq!(backend.level(), Level::L2);
    }
}
