//! Values as bincode 1 writes them: numbers as wide as their type, little-endian.

use super::MOST;
use super::bounded::Bounded;
use super::fault::Fault;
use bincode::{DefaultOptions, ErrorKind, Options};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const ID: u8 = 1;

fn options() -> impl Options {
    DefaultOptions::new().with_little_endian().with_fixint_encoding().reject_trailing_bytes()
}

pub(crate) fn encode<V: Serialize>(value: &V, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut bounded = Bounded::new(out, MOST);
    // No limit here: bincode would go through the value once more, only to count.
    let done = options().with_no_limit().serialize_into(&mut bounded, value);
    bounded.finish(done.map_err(|fault| Fault::unencodable(&fault)))
}

pub(crate) fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, Fault> {
    // The slice's end keeps lengths inside from being believed; the limit says so whatever the
    // reader does.
    let decoded = options().with_limit(bytes.len() as u64).deserialize(bytes);
    decoded.map_err(|fault| match *fault {
        ErrorKind::Custom(why) => Fault::Undecodable(why),
        other => Fault::undecodable(&other),
    })
}
