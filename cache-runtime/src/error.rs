//! The one error of this crate.
//!
//! Only building a runtime, invalidating and closing return it; a lookup never does.

use std::fmt;
use std::sync::Arc;

/// What went wrong, for a program to decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting has a value that can't be used; the message names the setting.
    Configuration,
    /// A pattern is malformed.
    Pattern,
    /// The global runtime is in use already, so another can't be installed.
    Installed,
    /// Applied on this machine; waits to be delivered to the shared tier.
    Pending,
}

/// A tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// In this process's memory.
    L1,
    /// On this machine's disk.
    L2,
    /// Redis.
    L3,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
        })
    }
}

/// Why building a runtime, an invalidation or a close did not do all of its work.
///
/// Cheap to clone. `Display` says all there is to say: as long as every tier is in this process,
/// nothing lies below that could fail, so [`source`](std::error::Error::source) is `None`.
#[derive(Clone, Debug)]
pub struct Error {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    tier: Option<Level>,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { inner: Arc::new(Inner { kind, tier: None, message }) }
    }

    /// The same, of a tier.
    #[cfg(feature = "beyond")]
    pub(crate) fn at(tier: Level, kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { inner: Arc::new(Inner { kind, tier: Some(tier), message }) }
    }

    /// Returns what kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the tier it comes from, when it comes from one.
    pub fn tier(&self) -> Option<Level> {
        self.inner.tier
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)
    }
}

impl std::error::Error for Error {}
