//! Why a value is not stored, or what was stored is not a value.

use std::fmt::{self, Write};

/// What went wrong between a value and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The value's own `Serialize` refused, or its codec did.
    Unencodable(String),
    /// The bytes are no value of the type.
    Undecodable(String),
    /// What is decoded from the value's bytes is another value.
    Unfaithful,
    /// More than an envelope can hold.
    TooLong,
    /// Compressed in a way that this program doesn't know.
    UnknownCompression(u8),
    /// The compressed bytes are not what they say they are.
    Uncompressible(&'static str),
}

impl Fault {
    pub(crate) fn unencodable(why: &dyn fmt::Display) -> Self {
        Self::Unencodable(printed(why))
    }

    pub(crate) fn undecodable(why: &dyn fmt::Display) -> Self {
        Self::Undecodable(printed(why))
    }
}

/// What is printed, as far as it can be: the message may be a user's, and its `Display` faulty.
fn printed(what: &dyn fmt::Display) -> String {
    let mut text = String::new();
    let _ = write!(text, "{what}");
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unencodable(why) => write!(f, "the value can't be encoded: {why}"),
            Self::Undecodable(why) => write!(f, "the bytes are no such value: {why}"),
            Self::Unfaithful => f.write_str("the value is not what is decoded from its bytes"),
            Self::TooLong => f.write_str("the value is longer than 1 GiB"),
            Self::UnknownCompression(id) => write!(f, "compression {id} is not known"),
            Self::Uncompressible(why) => write!(f, "the compressed bytes are damaged: {why}"),
        }
    }
}

impl std::error::Error for Fault {}
