//! Values in bytes: by either codec, compressed or not, and those that can't be.

use crate::support::{Calls, Machine};
use larder::cached;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Report {
    title: String,
    numbers: Vec<f64>,
    by_name: HashMap<String, Option<u32>>,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Open,
    Closed { at: i64, by: (u8, String) },
}

fn report(id: u64) -> Report {
    Report {
        title: "title ".repeat(200),
        numbers: vec![f64::NAN.min(1.0), -0.0, 1e300],
        by_name: (0..30).map(|it| (format!("{id}:{it}"), (it % 2 == 0).then_some(it))).collect(),
        state: if id == 0 { State::Open } else { State::Closed { at: -5, by: (1, "x".into()) } },
    }
}

macro_rules! comes_back {
    ($($test:ident [$($option:tt)*];)*) => { $(
        #[test]
        fn $test() {
            static CALLS: Calls = Calls::new();

            #[cached(tier = "l2", write = "through" $($option)*)]
            fn value(id: u64) -> Report {
                CALLS.note();
                report(id)
            }

            let machine = Machine::new();
            for _ in 0..2 {
                for id in 0..2 {
                    assert_eq!(machine.process().with(|| value(id)), report(id));
                }
            }
            assert_eq!(CALLS.taken(), 2);
        }
    )* };
}

comes_back! {
    a_value_comes_back_by_bincode [];
    a_value_comes_back_compressed_by_lz4 [, compress = "lz4"];
    a_value_comes_back_compressed_if_it_is_worth_it [, compress = "auto"];
}

#[cfg(feature = "postcard")]
comes_back! {
    a_value_comes_back_by_postcard [, codec = "postcard"];
}

#[cfg(feature = "zstd")]
comes_back! {
    a_value_comes_back_compressed_by_zstd [, compress = "zstd"];
}

/// What decides by what it reads can't be read from bytes that don't say what they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(u64),
    Text(String),
}

#[test]
fn a_value_that_does_not_come_back_stays_in_memory_and_is_counted() {
    static CALLS: Calls = Calls::new();

    #[cached(tier = "l1,l2", write = "through")]
    fn value(id: u64) -> Either {
        CALLS.note();
        if id == 0 { Either::Number(0) } else { Either::Text(id.to_string()) }
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| {
        for _ in 0..2 {
            assert_eq!(value(0), Either::Number(0));
            assert_eq!(value(1), Either::Text("1".to_owned()));
        }
    });
    assert_eq!(CALLS.taken(), 2);
    let stats = process.with(value::stats);
    assert_eq!((stats.hits, stats.stores_l2, stats.bypasses_codec), (2, 0, 2));
    machine.process().with(|| value(0));
    assert_eq!(CALLS.taken(), 1);
}

/// C6: the bytes of the second one are those of another value.
#[test]
fn a_value_that_does_not_come_back_is_noticed_after_others_that_did() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Sparse {
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<u8>,
        second: u8,
        third: Option<u8>,
    }

    #[cached(tier = "l1,l2", write = "through")]
    fn value(id: u8) -> Sparse {
        Sparse { first: (id == 0).then_some(7), second: 0, third: Some(0) }
    }

    let machine = Machine::new();
    let process = machine.process();
    process.with(|| [0, 1].map(value));
    let stats = process.with(value::stats);
    assert_eq!((stats.stores_l2, stats.bypasses_codec), (1, 1));
    machine.process().with(|| {
        assert_eq!(value(0), Sparse { first: Some(7), second: 0, third: Some(0) });
        assert_eq!(value(1), Sparse { first: None, second: 0, third: Some(0) });
    });
}

#[derive(Clone, Debug, PartialEq)]
struct Panics;

impl Serialize for Panics {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("not today")
    }
}

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("nor tomorrow")
    }
}

/// C7.
#[test]
fn a_value_whose_encoding_panics_is_handed_to_its_caller() {
    #[cached(tier = "l1,l2")]
    fn value(_id: u64) -> Panics {
        Panics
    }

    let process = Machine::new().process();
    process.with(|| assert_eq!((value(1), value(1)), (Panics, Panics)));
    assert_eq!(process.with(value::stats).hits, 1);
}

/// C7: 1 GiB is the most there is; an eighth of the limit is the most that is kept.
#[test]
fn an_entry_that_is_too_large_is_not_stored_and_counted() {
    #[cached(tier = "l2", write = "through")]
    fn bytes(length: usize) -> Vec<u8> {
        vec![7; length]
    }

    let machine = Machine::new();
    let builder = larder::Runtime::builder().dir(machine.path()).disk_limit(8 << 20);
    let process = builder.build().unwrap();
    process.with(|| {
        assert_eq!(bytes(2 << 20).len(), 2 << 20);
        assert_eq!(bytes(100 << 10).len(), 100 << 10);
        assert_eq!(bytes(800 << 10).len(), 800 << 10);
        let stats = bytes::stats();
        assert_eq!((stats.stores_l2, stats.evictions_oversized), (2, 1));
    });
}
