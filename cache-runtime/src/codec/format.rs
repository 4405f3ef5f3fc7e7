//! How values of one type become bytes and values again.
//!
//! A table of functions, so that whoever holds it needs no bounds: where it is made, the type is
//! known to have what the codec asks of it. Which codec wrote what is kept as a number beside it.
//!
//! 1. Where encoding fails, `out` is as it was.
//! 2. Decoding takes all of the bytes or fails, and believes no length inside of them.
//! 3. A panic of the type's own `Serialize` or `Deserialize` is the caller's to catch.

use super::canonical;
use super::fault::Fault;
use super::numbers;
use super::shape::{self, Shape};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;

/// The codec of one type of values.
#[doc(hidden)]
pub struct Format<V> {
    codec: u8,
    encode: fn(&V, &mut Vec<u8>) -> Result<(), Fault>,
    decode: fn(&[u8]) -> Result<V, Fault>,
    shape: fn() -> Shape,
    check: fn(&Self, &V, &[u8]) -> Result<(), Fault>,
}

impl<V> Clone for Format<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Format<V> {}

impl<V> fmt::Debug for Format<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Format").field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl<V: Serialize + DeserializeOwned + 'static> Format<V> {
    /// Encoded by `bincode` 1.
    pub const fn bincode() -> Self {
        Self {
            codec: super::bincode::ID,
            encode: super::bincode::encode,
            decode: super::bincode::decode,
            shape: shape::of::<V>,
            check: Self::survives,
        }
    }

    /// Encoded by `postcard` 1.
    #[cfg(feature = "postcard")]
    pub const fn postcard() -> Self {
        Self {
            codec: super::postcard::ID,
            encode: super::postcard::encode,
            decode: super::postcard::decode,
            shape: shape::of::<V>,
            check: Self::survives,
        }
    }

    fn survives(&self, value: &V, bytes: &[u8]) -> Result<(), Fault> {
        if numbers::are::<V>() {
            return Ok(());
        }
        let again = self.decode(bytes)?;
        let (before, after) = (canonical_bytes(value)?, canonical_bytes(&again)?);
        if before == after || census(&before) == census(&after) {
            Ok(())
        } else {
            Err(Fault::Unfaithful)
        }
    }
}

fn canonical_bytes<V: Serialize>(value: &V) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    canonical::encode(value, &mut bytes).map_err(|why| Fault::unencodable(&why))?;
    Ok(bytes)
}

/// How often each byte is there: what a set has in common with itself in another order.
fn census(bytes: &[u8]) -> [u32; 256] {
    let mut counts = [0; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    counts
}

impl<V> Format<V> {
    /// The codec's number, as it stands in an envelope.
    pub(crate) fn codec(&self) -> u8 {
        self.codec
    }

    /// Appends the value's bytes.
    pub(crate) fn encode(&self, value: &V, out: &mut Vec<u8>) -> Result<(), Fault> {
        (self.encode)(value, out)
    }

    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<V, Fault> {
        (self.decode)(bytes)
    }

    /// Traced anew each time: remember it.
    pub(crate) fn shape(&self) -> Shape {
        (self.shape)()
    }

    /// Whether the value can be had back from its bytes: there are types that write what they don't
    /// read. Of one type, some values may come back and others not.
    ///
    /// What serde isn't told, such as a skipped field, isn't compared.
    pub(crate) fn check(&self, value: &V, bytes: &[u8]) -> Result<(), Fault> {
        (self.check)(self, value, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Format};
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Serialize};
    use std::collections::{HashMap, HashSet};
    use std::fmt::Debug;

    fn formats<V: Serialize + DeserializeOwned + 'static>() -> Vec<Format<V>> {
        vec![
            Format::bincode(),
            #[cfg(feature = "postcard")]
            Format::postcard(),
        ]
    }

    fn check<V: Serialize + DeserializeOwned>(format: &Format<V>, value: &V) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        format.encode(value, &mut bytes)?;
        format.check(value, &bytes)
    }

    fn round_trip<V: Serialize + DeserializeOwned + Debug + PartialEq + 'static>(value: &V) {
        for format in formats() {
            let mut bytes = vec![7];
            format.encode(value, &mut bytes).unwrap();
            assert_eq!(bytes[0], 7);
            assert_eq!(format.decode(&bytes[1..]).as_ref(), Ok(value), "{format:?}");
            assert_eq!(format.check(value, &bytes[1..]), Ok(()), "{format:?}");
            for end in 1..bytes.len() {
                assert!(format.decode(&bytes[1..end]).is_err(), "{format:?} without an end");
            }
            bytes.push(0);
            assert!(format.decode(&bytes[1..]).is_err(), "{format:?} with more behind");
        }
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Order {
        Empty,
        Lines { lines: Vec<(u32, String)>, paid: Option<bool> },
        Part(Box<Order>, f64),
    }

    #[test]
    fn values_come_back_from_their_bytes_and_from_no_others() {
        round_trip(&17_u64);
        round_trip(&"a text".to_owned());
        round_trip(&Order::Empty);
        let lines = Order::Lines { lines: vec![(1, "one".to_owned())], paid: Some(true) };
        round_trip(&Order::Part(Box::new(lines), -0.5));
        round_trip(&(i128::MIN, u128::MAX, 'ß', [1_u8; 4]));
    }

    #[test]
    fn bincode_writes_numbers_as_wide_as_they_are() {
        let mut bytes = Vec::new();
        Format::bincode().encode(&(1_u16, "ab".to_owned()), &mut bytes).unwrap();
        assert_eq!(bytes, b"\x01\x00\x02\0\0\0\0\0\0\0ab");
    }

    #[cfg(feature = "postcard")]
    #[test]
    fn postcard_writes_numbers_as_short_as_they_are() {
        let mut bytes = Vec::new();
        Format::postcard().encode(&(1_u16, "ab".to_owned()), &mut bytes).unwrap();
        assert_eq!(bytes, b"\x01\x02ab");
    }

    #[test]
    fn the_shape_of_a_value_is_that_of_its_type() {
        for format in formats::<Order>() {
            assert_eq!(format.shape(), crate::codec::shape::of::<Order>());
        }
    }

    #[test]
    fn each_codec_has_its_number() {
        let numbers: Vec<_> = formats::<u8>().iter().map(Format::codec).collect();
        assert_eq!(numbers, [1, 2][..numbers.len()]);
    }

    #[test]
    fn a_length_inside_is_not_believed() {
        for format in formats::<Vec<[u64; 4]>>() {
            let info = allocation_counter::measure(|| {
                assert!(format.decode(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err());
            });
            // What serde sets aside at most before the first element.
            assert!(info.bytes_max <= 2 << 20, "{}", info.bytes_max);
        }
        for format in formats::<String>() {
            let info = allocation_counter::measure(|| {
                assert!(format.decode(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]).is_err());
            });
            assert!(info.bytes_max <= 1 << 10, "{}", info.bytes_max);
        }
    }

    #[test]
    fn sets_and_maps_survive_whatever_their_order() {
        let set: HashSet<String> = (0..100).map(|n: u32| n.to_string()).collect();
        let map: HashMap<u32, HashSet<u32>> = (0..10).map(|n| (n, (n..2 * n).collect())).collect();
        for format in formats() {
            assert_eq!(check(&format, &set), Ok(()));
        }
        for format in formats() {
            assert_eq!(check(&format, &map), Ok(()));
        }
    }

    #[test]
    fn a_value_that_is_not_what_it_writes_does_not_survive() {
        #[derive(Serialize, Deserialize)]
        struct Sparse {
            #[serde(skip_serializing_if = "Option::is_none")]
            from: Option<u8>,
            to: u8,
        }
        #[derive(Serialize, Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        #[derive(Serialize, Deserialize)]
        struct Asymmetric(#[serde(serialize_with = "one_less")] String);
        fn one_less<S: serde::Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(&text.replacen('1', "0", 1))
        }
        for format in formats() {
            assert!(check(&format, &Sparse { from: None, to: 9 }).is_err());
            assert_eq!(check(&format, &Sparse { from: Some(1), to: 9 }), Ok(()));
        }
        for format in formats() {
            assert!(matches!(check(&format, &Either::Number(1)), Err(Fault::Undecodable(_))));
            assert!(check(&format, &Either::Text(String::new())).is_err());
        }
        for format in formats() {
            // As long as what it came from.
            assert_eq!(check(&format, &Asymmetric("11".to_owned())), Err(Fault::Unfaithful));
        }
    }

    #[test]
    fn a_refusal_leaves_what_was_there() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        impl<'de> Deserialize<'de> for Refuses {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(serde::de::Error::custom("not today"))
            }
        }
        for format in formats() {
            let mut bytes = vec![7];
            let refused = format.encode(&(1_u8, Refuses), &mut bytes);
            assert!(matches!(refused, Err(Fault::Unencodable(_))));
            assert_eq!(bytes, [7]);
            assert!(matches!(format.decode(&[1]), Err(Fault::Undecodable(_))));
        }
        let refused = Format::<Refuses>::bincode().decode(&[]).err();
        assert_eq!(refused, Some(Fault::Undecodable("not today".to_owned())));
    }

    #[test]
    fn a_table_can_stand_in_a_static() {
        static FORMAT: Format<std::cell::Cell<u8>> = Format::bincode();
        assert_eq!(check(&FORMAT, &std::cell::Cell::new(1)), Ok(()));
    }
}
