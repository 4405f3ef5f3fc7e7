//! Values as bincode 1 writes them: numbers as wide as their type, little-endian.

use super::MOST;
use super::bounded::Bounded;
use super::fault::Fault;
use super::numbers;
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

pub(crate) fn decode<V: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<V, Fault> {
    if let Some(numbers) = numbers::decode(bytes) {
        return numbers;
    }
    // The slice's end keeps lengths inside from being believed; the limit says so whatever the
    // reader does.
    let decoded = options().with_limit(bytes.len() as u64).deserialize(bytes);
    decoded.map_err(|fault| match *fault {
        ErrorKind::Custom(why) => Fault::Undecodable(why),
        other => Fault::undecodable(&other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Debug;

    fn by_bincode<V: DeserializeOwned>(bytes: &[u8]) -> Option<V> {
        options().with_limit(bytes.len() as u64).deserialize(bytes).ok()
    }

    fn reads_as_bincode_does<V>(value: &V)
    where
        V: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
    {
        let whole = options().serialize(value).unwrap();
        let mut longer = whole.clone();
        longer.push(0);
        let mut more = whole.clone();
        more[0] += 1;
        let mut beyond_all = whole.clone();
        beyond_all[7] = 0xff;
        let cuts = (0..whole.len()).map(|end| whole[..end].to_vec());
        for bytes in cuts.chain([whole.clone(), longer, more, beyond_all]) {
            let read = numbers::decode::<V>(&bytes).expect("a type that is known");
            assert_eq!(read.ok(), by_bincode(&bytes), "{bytes:?}");
        }
        assert_eq!(by_bincode(&whole).as_ref(), Some(value));
    }

    #[test]
    fn numbers_are_read_as_bincode_reads_them() {
        reads_as_bincode_does(&Vec::<u8>::new());
        reads_as_bincode_does(&vec![0_u8, 1, 255]);
        reads_as_bincode_does(&vec![0.5_f32, -0.0, f32::MAX]);
        reads_as_bincode_does(&vec![0.5_f64, f64::MIN_POSITIVE]);
    }

    #[test]
    fn what_is_no_sequence_of_numbers_is_left_to_bincode() {
        assert!(numbers::decode::<Vec<u16>>(&[0; 8]).is_none());
        assert!(numbers::decode::<Option<Vec<u8>>>(&[0]).is_none());
        assert!(numbers::decode::<(u64, u8)>(&[0; 9]).is_none());
    }
}
