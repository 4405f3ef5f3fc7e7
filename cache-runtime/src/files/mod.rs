//! Files that values depend on: what they looked like, and whether they still do.
//!
//! Nothing here knows of entries: who stores `Files` beside a value asks them before it serves it.
//!
//! 1. A fingerprint is taken before the computation reads the file, never after.
//! 2. A fingerprint that can't tell says no.

mod bytes;
mod content;
mod fingerprint;
mod paths;
#[cfg(all(test, unix))]
mod scratch;
mod set;
mod stat;
mod tree;
#[cfg(feature = "watch")]
mod watch;

pub use paths::Paths;
pub(crate) use set::Files;
#[cfg(feature = "watch")]
pub use watch::{Watch, watch};
