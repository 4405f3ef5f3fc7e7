//! Canonical bytes (K2): one unambiguous form of what a value gives to serde.
//!
//! It knows nothing of digests and keys, and nothing reads it back: it is compared and hashed.
//!
//! 1. A tag comes before everything, and everything ends by itself: one form is never the beginning
//!    of another, so forms in a row are as unambiguous as each of them.
//! 2. Numbers are little-endian, as wide as their type, lengths and counts 32 bits. Floats are bits.
//! 3. Counts are of what came, whatever the value had announced.
//! 4. Names of types, variants and fields are in it, and the index of a variant.
//! 5. The entries of a map are in the order of their keys' forms; entries of equal keys stay in the
//!    order in which they came.

mod compound;
mod encoder;
#[cfg(test)]
mod tests;

use encoder::Encoder;
use serde::ser::{self, Serialize};
use std::fmt::{self, Write};

/// The first byte. Another form of anything has another.
const VERSION: u8 = 1;

/// Appends the canonical bytes of `value` to `out`. Where the value refuses, `out` is as it was.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Done {
    let start = out.len();
    out.push(VERSION);
    let done = value.serialize(Encoder(out));
    if done.is_err() {
        out.truncate(start);
    }
    done
}

pub(crate) type Done = Result<(), Unencodable>;

/// Why a value has no canonical bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Unencodable {
    /// Its own `Serialize` says so.
    Refused(String),
    /// Something in it is longer than 32 bits can count.
    TooLong,
    /// It gave keys and values of a map out of turn.
    OutOfTurn,
}

impl fmt::Display for Unencodable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(message) => f.write_str(message),
            Self::TooLong => f.write_str("a part is longer than 4 GiB"),
            Self::OutOfTurn => f.write_str("a map's keys and values come out of turn"),
        }
    }
}

impl std::error::Error for Unencodable {}

impl ser::Error for Unencodable {
    fn custom<T: fmt::Display>(message: T) -> Self {
        // Not `to_string`: that panics where a `Display` fails.
        let mut text = String::new();
        let _ = write!(text, "{message}");
        Self::Refused(text)
    }
}
