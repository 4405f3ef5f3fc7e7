//! That the form can be read back is what shows that no two values share one.

use super::{Unencodable, encode};
use proptest::prelude::*;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

fn bytes_of<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode(value, &mut out).unwrap();
    out
}

fn different<A: Serialize + ?Sized, B: Serialize + ?Sized>(one: &A, other: &B) {
    assert_ne!(bytes_of(one), bytes_of(other));
}

type Name = &'static str;

const NAMES: [Name; 4] = ["", "a", "ab", "b"];

/// Everything that a value can say to serde.
#[derive(Clone, Debug, PartialEq)]
enum Tree {
    Bool(bool),
    I8(i8),
    I16(i16),
    I32(i32),
    I64(i64),
    I128(i128),
    U8(u8),
    U16(u16),
    U32(u32),
    U64(u64),
    U128(u128),
    /// Bits, so that a tree can be compared.
    F32(u32),
    F64(u64),
    Char(char),
    Str(String),
    Bytes(Vec<u8>),
    None,
    Some(Box<Tree>),
    Unit,
    UnitStruct(Name),
    UnitVariant(Name, u32, Name),
    Newtype(Name, Box<Tree>),
    NewtypeVariant(Name, u32, Name, Box<Tree>),
    Seq(Vec<Tree>),
    Tuple(Vec<Tree>),
    TupleStruct(Name, Vec<Tree>),
    TupleVariant(Name, u32, Name, Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
    Struct(Name, Vec<(Name, Tree)>),
    StructVariant(Name, u32, Name, Vec<(Name, Tree)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => to.serialize_bool(*value),
            Self::I8(value) => to.serialize_i8(*value),
            Self::I16(value) => to.serialize_i16(*value),
            Self::I32(value) => to.serialize_i32(*value),
            Self::I64(value) => to.serialize_i64(*value),
            Self::I128(value) => to.serialize_i128(*value),
            Self::U8(value) => to.serialize_u8(*value),
            Self::U16(value) => to.serialize_u16(*value),
            Self::U32(value) => to.serialize_u32(*value),
            Self::U64(value) => to.serialize_u64(*value),
            Self::U128(value) => to.serialize_u128(*value),
            Self::F32(bits) => to.serialize_f32(f32::from_bits(*bits)),
            Self::F64(bits) => to.serialize_f64(f64::from_bits(*bits)),
            Self::Char(value) => to.serialize_char(*value),
            Self::Str(value) => to.serialize_str(value),
            Self::Bytes(value) => to.serialize_bytes(value),
            Self::None => to.serialize_none(),
            Self::Some(value) => to.serialize_some(value),
            Self::Unit => to.serialize_unit(),
            Self::UnitStruct(name) => to.serialize_unit_struct(name),
            Self::UnitVariant(name, at, variant) => to.serialize_unit_variant(name, *at, variant),
            Self::Newtype(name, value) => to.serialize_newtype_struct(name, value),
            Self::NewtypeVariant(name, at, variant, value) => {
                to.serialize_newtype_variant(name, *at, variant, value)
            }
            Self::Seq(parts) => {
                let mut to = to.serialize_seq(None)?;
                parts.iter().try_for_each(|part| to.serialize_element(part))?;
                to.end()
            }
            Self::Tuple(parts) => {
                let mut to = to.serialize_tuple(parts.len())?;
                parts.iter().try_for_each(|part| to.serialize_element(part))?;
                to.end()
            }
            Self::TupleStruct(name, parts) => {
                let mut to = to.serialize_tuple_struct(name, parts.len())?;
                parts.iter().try_for_each(|part| to.serialize_field(part))?;
                to.end()
            }
            Self::TupleVariant(name, at, variant, parts) => {
                let mut to = to.serialize_tuple_variant(name, *at, variant, parts.len())?;
                parts.iter().try_for_each(|part| to.serialize_field(part))?;
                to.end()
            }
            Self::Map(entries) => {
                let mut to = to.serialize_map(Some(entries.len()))?;
                entries.iter().try_for_each(|(key, value)| to.serialize_entry(key, value))?;
                to.end()
            }
            Self::Struct(name, fields) => {
                let mut to = to.serialize_struct(name, fields.len())?;
                fields.iter().try_for_each(|(name, value)| to.serialize_field(name, value))?;
                to.end()
            }
            Self::StructVariant(name, at, variant, fields) => {
                let mut to = to.serialize_struct_variant(name, *at, variant, fields.len())?;
                fields.iter().try_for_each(|(name, value)| to.serialize_field(name, value))?;
                to.end()
            }
        }
    }
}

impl Tree {
    /// The same, with the entries of every map in an order that forgets how they came, and of equal
    /// keys the order in which they came.
    fn sorted(self) -> Self {
        let boxed = |tree: Box<Self>| Box::new(tree.sorted());
        let all = |trees: Vec<Self>| trees.into_iter().map(Self::sorted).collect();
        let fields = |fields: Vec<(Name, Self)>| {
            fields.into_iter().map(|(name, tree)| (name, tree.sorted())).collect()
        };
        match self {
            Self::Some(tree) => Self::Some(boxed(tree)),
            Self::Newtype(name, tree) => Self::Newtype(name, boxed(tree)),
            Self::NewtypeVariant(name, at, variant, tree) => {
                Self::NewtypeVariant(name, at, variant, boxed(tree))
            }
            Self::Seq(trees) => Self::Seq(all(trees)),
            Self::Tuple(trees) => Self::Tuple(all(trees)),
            Self::TupleStruct(name, trees) => Self::TupleStruct(name, all(trees)),
            Self::TupleVariant(name, at, variant, trees) => {
                Self::TupleVariant(name, at, variant, all(trees))
            }
            Self::Map(entries) => {
                let mut entries: Vec<_> = entries
                    .into_iter()
                    .map(|(key, value)| (key.sorted(), value.sorted()))
                    .collect();
                entries.sort_by_key(|(key, _)| format!("{key:?}"));
                Self::Map(entries)
            }
            Self::Struct(name, parts) => Self::Struct(name, fields(parts)),
            Self::StructVariant(name, at, variant, parts) => {
                Self::StructVariant(name, at, variant, fields(parts))
            }
            leaf => leaf,
        }
    }
}

/// Reads the form back, by its description alone.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk().unwrap();
        self.0 = rest;
        *head
    }

    fn length(&mut self) -> usize {
        u32::from_le_bytes(self.take()) as usize
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.length();
        let (head, rest) = self.0.split_at(length);
        self.0 = rest;
        head.to_vec()
    }

    fn name(&mut self) -> Name {
        let name = self.bytes();
        NAMES.into_iter().find(|known| known.as_bytes() == name).unwrap()
    }

    fn index(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn boxed(&mut self) -> Box<Tree> {
        Box::new(self.tree())
    }

    fn trees(&mut self) -> Vec<Tree> {
        (0..self.length()).map(|_| self.tree()).collect()
    }

    fn fields(&mut self) -> Vec<(Name, Tree)> {
        (0..self.length()).map(|_| (self.name(), self.tree())).collect()
    }

    fn whole(&mut self) -> Tree {
        assert_eq!(self.take(), [1]);
        self.tree()
    }

    fn tree(&mut self) -> Tree {
        match self.take::<1>()[0] {
            1 => Tree::Bool(self.take() == [1]),
            2 => Tree::I8(i8::from_le_bytes(self.take())),
            3 => Tree::I16(i16::from_le_bytes(self.take())),
            4 => Tree::I32(i32::from_le_bytes(self.take())),
            5 => Tree::I64(i64::from_le_bytes(self.take())),
            6 => Tree::I128(i128::from_le_bytes(self.take())),
            7 => Tree::U8(u8::from_le_bytes(self.take())),
            8 => Tree::U16(u16::from_le_bytes(self.take())),
            9 => Tree::U32(u32::from_le_bytes(self.take())),
            10 => Tree::U64(u64::from_le_bytes(self.take())),
            11 => Tree::U128(u128::from_le_bytes(self.take())),
            12 => Tree::F32(u32::from_le_bytes(self.take())),
            13 => Tree::F64(u64::from_le_bytes(self.take())),
            14 => Tree::Char(char::from_u32(u32::from_le_bytes(self.take())).unwrap()),
            15 => Tree::Str(String::from_utf8(self.bytes()).unwrap()),
            16 => Tree::Bytes(self.bytes()),
            17 => Tree::None,
            18 => Tree::Some(self.boxed()),
            19 => Tree::Unit,
            20 => Tree::UnitStruct(self.name()),
            21 => Tree::UnitVariant(self.name(), self.index(), self.name()),
            22 => Tree::Newtype(self.name(), self.boxed()),
            23 => Tree::NewtypeVariant(self.name(), self.index(), self.name(), self.boxed()),
            24 => Tree::Seq(self.trees()),
            25 => Tree::Tuple(self.trees()),
            26 => Tree::TupleStruct(self.name(), self.trees()),
            27 => Tree::TupleVariant(self.name(), self.index(), self.name(), self.trees()),
            28 => Tree::Map((0..self.length()).map(|_| (self.tree(), self.tree())).collect()),
            29 => Tree::Struct(self.name(), self.fields()),
            30 => Tree::StructVariant(self.name(), self.index(), self.name(), self.fields()),
            other => panic!("no tag {other}"),
        }
    }
}

fn leaves() -> impl Strategy<Value = Tree> {
    let name = || prop::sample::select(&NAMES[..]);
    // Few values of many types, so that trees come close to each other.
    prop_oneof![
        any::<bool>().prop_map(Tree::Bool),
        (0..3_i8).prop_map(Tree::I8),
        (0..3_i16).prop_map(Tree::I16),
        (0..3_i32).prop_map(Tree::I32),
        any::<i64>().prop_map(Tree::I64),
        any::<i128>().prop_map(Tree::I128),
        (0..3_u8).prop_map(Tree::U8),
        (0..3_u16).prop_map(Tree::U16),
        (0..3_u32).prop_map(Tree::U32),
        any::<u64>().prop_map(Tree::U64),
        any::<u128>().prop_map(Tree::U128),
        any::<u32>().prop_map(Tree::F32),
        any::<u64>().prop_map(Tree::F64),
        any::<char>().prop_map(Tree::Char),
        "[ab\u{0}]{0,3}".prop_map(Tree::Str),
        prop::collection::vec(0..32_u8, 0..4).prop_map(Tree::Bytes),
        Just(Tree::None),
        Just(Tree::Unit),
        name().prop_map(Tree::UnitStruct),
        (name(), 0..3_u32, name()).prop_map(|(a, at, b)| Tree::UnitVariant(a, at, b)),
    ]
}

fn trees() -> impl Strategy<Value = Tree> {
    leaves().prop_recursive(5, 48, 4, |inner| {
        let name = || prop::sample::select(&NAMES[..]);
        let at = || 0..3_u32;
        let boxed = || inner.clone().prop_map(Box::new);
        let parts = || prop::collection::vec(inner.clone(), 0..4);
        let fields = || prop::collection::vec((name(), inner.clone()), 0..4);
        let entries = prop::collection::vec((inner.clone(), inner.clone()), 0..5);
        prop_oneof![
            boxed().prop_map(Tree::Some),
            (name(), boxed()).prop_map(|(a, it)| Tree::Newtype(a, it)),
            (name(), at(), name(), boxed())
                .prop_map(|(a, at, b, it)| Tree::NewtypeVariant(a, at, b, it)),
            parts().prop_map(Tree::Seq),
            parts().prop_map(Tree::Tuple),
            (name(), parts()).prop_map(|(a, it)| Tree::TupleStruct(a, it)),
            (name(), at(), name(), parts())
                .prop_map(|(a, at, b, it)| Tree::TupleVariant(a, at, b, it)),
            entries.prop_map(Tree::Map),
            (name(), fields()).prop_map(|(a, it)| Tree::Struct(a, it)),
            (name(), at(), name(), fields())
                .prop_map(|(a, at, b, it)| Tree::StructVariant(a, at, b, it)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..<_>::default() })]

    #[test]
    fn k2_canonical_bytes_tell_all_values_apart(tree in trees()) {
        let bytes = bytes_of(&tree);
        let mut reader = Reader(&bytes);
        prop_assert_eq!(reader.whole().sorted(), tree.sorted());
        prop_assert!(reader.0.is_empty());
    }

    #[test]
    fn k3_canonical_bytes_in_a_row_fall_apart_in_one_way(
        one in trees(),
        other in trees(),
        rest in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut bytes = bytes_of(&one);
        encode(&other, &mut bytes).unwrap();
        bytes.extend_from_slice(&rest);
        let mut reader = Reader(&bytes);
        prop_assert_eq!(reader.whole().sorted(), one.sorted());
        prop_assert_eq!(reader.whole().sorted(), other.sorted());
        prop_assert_eq!(reader.0, &rest[..]);
    }

    #[test]
    fn a_map_has_one_form_whatever_its_order(
        entries in prop::collection::btree_map("[abc]{0,3}", trees(), 0..6),
        seed in any::<u64>(),
    ) {
        let mut entries: Vec<_> =
            entries.into_iter().map(|(key, tree)| (Tree::Str(key), tree)).collect();
        let sorted = bytes_of(&Tree::Map(entries.clone()));
        fastrand::Rng::with_seed(seed).shuffle(&mut entries);
        prop_assert_eq!(bytes_of(&Tree::Map(entries)), sorted);
    }
}

#[test]
fn hash_maps_and_ordered_maps_have_one_form() {
    let pairs = (0..100_u32).map(|n| (n, n.to_string()));
    let ordered: BTreeMap<_, _> = pairs.clone().collect();
    let one: HashMap<_, _> = pairs.clone().collect();
    let other: HashMap<_, _> = pairs.rev().collect();
    assert_eq!(bytes_of(&one), bytes_of(&ordered));
    assert_eq!(bytes_of(&other), bytes_of(&ordered));
}

#[test]
fn entries_of_equal_keys_stay_in_their_order() {
    let entry = |value| (Tree::Unit, Tree::U8(value));
    different(&Tree::Map(vec![entry(1), entry(2)]), &Tree::Map(vec![entry(2), entry(1)]));
}

#[test]
fn k3_values_that_print_alike_have_different_forms() {
    different(&1_u32, &1_u64);
    different(&1_i64, &1_u64);
    different(&0.0_f64, &-0.0_f64);
    different(&"1", &'1');
    different(&Some(Some(1)), &Some(1));
    different(&None::<u8>, &());
    different(&[1_u8, 2], &vec![1_u8, 2]);
    different(&("ab", "c"), &("a", "bc"));
    different(&(("a", "b"), "c"), &("a", ("b", "c")));
    assert_eq!(bytes_of(&1_usize), bytes_of(&1_u64));
}

#[test]
fn names_of_types_variants_and_fields_are_told_apart() {
    #[derive(Serialize)]
    struct Width {
        value: u8,
    }
    #[derive(Serialize)]
    struct Height {
        value: u8,
    }
    #[derive(Serialize)]
    #[serde(rename = "Width")]
    struct Other {
        volume: u8,
    }
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Id {
        User(User),
        Order(Order),
    }
    #[derive(Serialize)]
    struct User(u8);
    #[derive(Serialize)]
    struct Order(u8);

    different(&Width { value: 1 }, &Height { value: 1 });
    different(&Width { value: 1 }, &Other { volume: 1 });
    different(&Id::User(User(1)), &Id::Order(Order(1)));
}

#[test]
fn a_field_that_is_skipped_is_not_mistaken_for_another() {
    #[derive(Serialize)]
    struct Range {
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<u8>,
    }
    different(&Range { from: Some(1), to: None }, &Range { from: None, to: Some(1) });
    different(&Range { from: None, to: None }, &Range { from: None, to: Some(1) });
}

#[test]
fn what_is_counted_is_what_comes_not_what_is_announced() {
    struct Announces(Option<usize>);
    impl Serialize for Announces {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut to = to.serialize_seq(self.0)?;
            to.serialize_element(&1_u8)?;
            to.end()
        }
    }
    let honest = bytes_of(&Announces(Some(1)));
    assert_eq!(bytes_of(&Announces(None)), honest);
    assert_eq!(bytes_of(&Announces(Some(usize::MAX))), honest);
}

#[test]
fn a_refusal_leaves_what_was_there() {
    struct Faulty;
    impl fmt::Display for Faulty {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom(Faulty))
        }
    }
    struct Prints;
    impl Serialize for Prints {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_str(&Faulty)
        }
    }
    let mut out = vec![7];
    assert_eq!(encode(&(1, Refuses), &mut out), Err(Unencodable::Refused(String::new())));
    assert_eq!(out, [7]);
    assert!(encode(&(1, Prints), &mut out).is_err());
    assert_eq!(out, [7]);
}

#[test]
fn a_map_out_of_turn_is_refused() {
    struct OutOfTurn(&'static str);
    impl Serialize for OutOfTurn {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            let mut to = to.serialize_map(None)?;
            for part in self.0.chars() {
                match part {
                    'k' => to.serialize_key(&1)?,
                    _ => to.serialize_value(&2)?,
                }
            }
            to.end()
        }
    }
    for turns in ["k", "v", "kk", "kvv", "kvk"] {
        let refused = encode(&OutOfTurn(turns), &mut Vec::new());
        assert_eq!(refused, Err(Unencodable::OutOfTurn), "{turns}");
    }
    assert!(encode(&OutOfTurn("kvkv"), &mut Vec::new()).is_ok());
}

#[test]
fn what_is_printed_is_a_string_like_any_other() {
    struct Prints(&'static str);
    impl Serialize for Prints {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            assert!(!to.is_human_readable());
            to.collect_str(self.0)
        }
    }
    assert_eq!(bytes_of(&Prints("abc")), bytes_of("abc"));
}

#[test]
fn the_form_stays_what_it_is() {
    #[derive(Serialize)]
    struct Point {
        x: i16,
        y: Option<f32>,
    }
    #[derive(Serialize)]
    enum Shape {
        Dot(Point),
        Line { to: (u8, bool) },
        Pair(char, ()),
        Nothing,
    }
    let shapes = [
        Shape::Dot(Point { x: -2, y: Some(1.0) }),
        Shape::Line { to: (3, true) },
        Shape::Pair('é', ()),
        Shape::Nothing,
    ];
    let expected = [
        &b"\x01\x19\x04\0\0\0"[..],
        b"\x17\x05\0\0\0Shape\0\0\0\0\x03\0\0\0Dot\x1d\x05\0\0\0Point\x02\0\0\0",
        b"\x01\0\0\0x\x03\xfe\xff\x01\0\0\0y\x12\x0c\0\0\x80\x3f",
        b"\x1e\x05\0\0\0Shape\x01\0\0\0\x04\0\0\0Line\x01\0\0\0",
        b"\x02\0\0\0to\x19\x02\0\0\0\x07\x03\x01\x01",
        b"\x1b\x05\0\0\0Shape\x02\0\0\0\x04\0\0\0Pair\x02\0\0\0\x0e\xe9\0\0\0\x13",
        b"\x15\x05\0\0\0Shape\x03\0\0\0\x07\0\0\0Nothing",
    ];
    assert_eq!(bytes_of(&shapes), expected.concat());
    assert_eq!(
        bytes_of(&HashMap::from([("b", 1_u8), ("a", 2)])),
        b"\x01\x1c\x02\0\0\0\x0f\x01\0\0\0a\x07\x02\x0f\x01\0\0\0b\x07\x01",
    );
}
