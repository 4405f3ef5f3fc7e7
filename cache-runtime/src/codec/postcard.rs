//! Values as postcard writes them: numbers as short as they are.

use super::MOST;
use super::bounded::Bounded;
use super::fault::Fault;
use postcard::{take_from_bytes, to_io};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) const ID: u8 = 2;

pub(crate) fn encode<V: Serialize>(value: &V, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut bounded = Bounded::new(out, MOST);
    let done = to_io(value, &mut bounded).map(|_| ());
    bounded.finish(done.map_err(|fault| Fault::unencodable(&fault)))
}

pub(crate) fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, Fault> {
    match take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(Fault::Undecodable("bytes remain behind the value".to_owned())),
        Err(fault) => Err(Fault::undecodable(&fault)),
    }
}
