//! What leaves the process: canonical keys, encoded values, the envelope around both.

mod bincode;
mod bounded;
pub(crate) mod canonical;
pub(crate) mod compress;
pub(crate) mod envelope;
mod fault;
mod format;
mod numbers;
#[cfg(feature = "postcard")]
mod postcard;
mod shape;

pub(crate) use format::Format;

/// What the fuzzer calls.
#[cfg(fuzzing)]
pub mod fuzz {
    use super::envelope::{sealed, try_any};

    /// Parses the bytes as they are and, so that more than the checksum is tried, with one that fits.
    pub fn envelope(bytes: &[u8]) {
        try_any(bytes);
        try_any(&sealed(bytes));
    }
}

/// No envelope is longer, and nothing in one, compressed or not.
pub(crate) const MOST: usize = (1 << 30) - 1;
