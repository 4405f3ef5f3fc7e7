#![expect(dead_code, reason = "the types are there for their shapes")]

use super::{Shape, of, trace};
use serde::de::{
    self, DeserializeOwned, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroI16, NonZeroU64, NonZeroU128};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

fn whole<T: DeserializeOwned>() -> [u8; 16] {
    let Shape { fingerprint, partial } = of::<T>();
    assert!(!partial, "{}", trace::<T>().text());
    assert_eq!(of::<T>().fingerprint, fingerprint, "the same each time");
    fingerprint
}

fn partial<T: DeserializeOwned>() -> [u8; 16] {
    let Shape { fingerprint, partial } = of::<T>();
    assert!(partial, "{}", trace::<T>().text());
    assert_eq!(of::<T>().fingerprint, fingerprint, "the same each time");
    fingerprint
}

/// That all fingerprints differ.
fn differ<const N: usize>(fingerprints: [[u8; 16]; N]) {
    assert_eq!(HashSet::from(fingerprints).len(), N);
}

/// Types of one name, each in a scope of its own.
macro_rules! shapes {
    ($($item:item)*) => {
        [$({
            #[derive(Serialize, Deserialize)]
            $item
            whole::<T>()
        }),*]
    };
}

#[test]
fn k5_every_change_of_fields_is_seen() {
    differ(shapes! {
        struct T { a: u32, b: String }
        struct T { a: u32, b: String, c: u8 }
        struct T { a: u32 }
        struct T { b: String, a: u32 }
        struct T { a: u32, renamed: String }
        struct T { a: u64, b: String }
        struct T { a: u32, b: Option<String> }
        struct T { a: u32, b: Vec<String> }
        struct T { a: u32, #[serde(skip)] b: String, c: String }
        struct T {}
        struct T;
        struct T(u32);
        struct T(u32, String);
        struct T(String, u32);
        struct T((u32, String));
    });
}

#[test]
fn k5_every_change_of_variants_is_seen() {
    differ(shapes! {
        enum T { A, B(u32), C { c: u8 } }
        enum T { A, B(u32), C { c: u8 }, D }
        enum T { A, B(u32) }
        enum T { B(u32), A, C { c: u8 } }
        enum T { A, Renamed(u32), C { c: u8 } }
        enum T { A, B(u64), C { c: u8 } }
        enum T { A, B(u32), C { c: u16 } }
        enum T { A, B(u32), C { d: u8 } }
        enum T { A, B(u32), C(u8) }
        enum T { A, B(u32, u32), C { c: u8 } }
        enum T { A, B((u32, u32)), C { c: u8 } }
        enum T { A(()), B(u32), C { c: u8 } }
        enum T { A(), B(u32), C { c: u8 } }
    });
}

#[test]
fn the_name_of_a_type_is_part_of_its_shape_and_its_path_is_not() {
    mod elsewhere {
        #[derive(serde::Deserialize)]
        pub(super) struct T {
            a: u32,
        }
    }
    let [one, other] = shapes! {
        struct T { a: u32 }
        #[serde(rename = "U")] struct T { a: u32 }
    };
    assert_ne!(one, other);
    assert_eq!(whole::<elsewhere::T>(), one);
}

#[test]
fn a_change_deep_inside_is_seen() {
    #[derive(Deserialize)]
    struct Outer<V> {
        first: u8,
        maps: HashMap<String, Vec<Option<Wrapped<V>>>>,
        last: u8,
    }
    #[derive(Deserialize)]
    struct Wrapped<V>((u8, V));
    #[derive(Deserialize)]
    enum Leaf {
        A,
        B { b: [u8; 2] },
    }
    mod later {
        #[derive(serde::Deserialize)]
        pub(super) enum Leaf {
            A,
            B { b: [u8; 3] },
        }
    }
    differ([
        whole::<Outer<u8>>(),
        whole::<Outer<u16>>(),
        whole::<Outer<Leaf>>(),
        whole::<Outer<later::Leaf>>(),
    ]);
}

#[test]
fn instances_of_one_generic_type_are_told_apart_though_they_share_a_name() {
    #[derive(Deserialize)]
    struct Pair<A, B> {
        a: A,
        b: B,
    }
    #[derive(Deserialize)]
    struct Two<A, B> {
        one: Pair<A, A>,
        other: Pair<B, B>,
    }
    differ([
        whole::<Two<u8, u8>>(),
        whole::<Two<u8, u16>>(),
        whole::<Two<u16, u8>>(),
        whole::<Two<u16, u16>>(),
        whole::<Two<Pair<u8, u16>, u16>>(),
    ]);
}

mod tree {
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub(super) struct Tree<V> {
        value: V,
        left: Option<Box<Tree<V>>>,
        right: Option<Box<Tree<V>>>,
    }

    #[derive(Deserialize)]
    pub(super) enum Expression<V> {
        Sum(Box<Expression<V>>, Box<Expression<V>>),
        Negative(Box<Expression<V>>),
        Call { name: String, arguments: Vec<Expression<V>>, block: Block<V> },
        Literal(V),
    }

    #[derive(Deserialize)]
    pub(super) struct Block<V> {
        statements: Vec<Statement<V>>,
    }

    #[derive(Deserialize)]
    pub(super) enum Statement<V> {
        Do(Expression<V>),
        If(Expression<V>, Block<V>, Option<Block<V>>),
        Return,
    }
}

#[test]
fn recursive_types_end_and_what_is_in_them_is_seen() {
    use tree::{Block, Expression, Tree};
    differ([
        whole::<Tree<u8>>(),
        whole::<Tree<u16>>(),
        whole::<Tree<Tree<u8>>>(),
        whole::<Expression<u8>>(),
        whole::<Expression<u16>>(),
        whole::<Expression<Tree<u16>>>(),
        whole::<Block<u8>>(),
        whole::<Block<u16>>(),
    ]);
}

#[test]
fn types_of_the_standard_library_are_seen_through() {
    differ([
        whole::<IpAddr>(),
        whole::<SocketAddr>(),
        whole::<Duration>(),
        whole::<SystemTime>(),
        whole::<NonZeroU64>(),
        whole::<NonZeroI16>(),
        whole::<NonZeroU128>(),
        whole::<String>(),
        whole::<char>(),
        whole::<bool>(),
        whole::<()>(),
        whole::<f32>(),
        whole::<f64>(),
        whole::<i128>(),
        whole::<Option<u8>>(),
        whole::<Option<Option<u8>>>(),
        whole::<Vec<u8>>(),
        whole::<Vec<Vec<u8>>>(),
        whole::<[u8; 0]>(),
        whole::<[u8; 4]>(),
        whole::<[u8; 32]>(),
        whole::<(u8, u16)>(),
        whole::<(u16, u8)>(),
        whole::<(u8, u16, u8)>(),
        whole::<HashMap<u8, u16>>(),
        whole::<HashMap<u16, u8>>(),
        whole::<Result<u8, String>>(),
        whole::<std::ops::Range<u8>>(),
        whole::<std::ops::Bound<u8>>(),
        whole::<PhantomData<u8>>(),
    ]);
    assert_eq!(whole::<BTreeMap<u8, u16>>(), whole::<HashMap<u8, u16>>());
    assert_eq!(whole::<BTreeSet<u8>>(), whole::<Vec<u8>>());
    assert_eq!(whole::<Box<PathBuf>>(), whole::<String>());
    assert_eq!(whole::<Ipv4Addr>(), whole::<[u8; 4]>());
    assert_eq!(whole::<usize>(), whole::<u64>());
}

/// Like a date that is written as a text.
#[derive(Serialize)]
struct Date(u32);

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let (year, _) = text.split_once('-').ok_or_else(|| de::Error::custom("not a date"))?;
        year.parse().map(Self).map_err(de::Error::custom)
    }
}

/// Takes whatever there is.
struct Whatever;

impl<'de> Deserialize<'de> for Whatever {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Whatever;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
        }
        from.deserialize_any(Any)
    }
}

struct Panics;

impl<'de> Deserialize<'de> for Panics {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u8::deserialize(from)?;
        panic!("on purpose")
    }
}

#[test]
fn what_refuses_to_be_traced_makes_a_shape_partial() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        A(u8),
        B(String),
    }
    #[derive(Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        A { a: u8 },
        B,
    }
    #[derive(Deserialize)]
    struct Flat {
        #[serde(flatten)]
        inner: HashMap<String, u8>,
    }
    #[derive(Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        A(u8),
        B(String),
    }
    differ([
        partial::<Date>(),
        partial::<Whatever>(),
        partial::<Panics>(),
        partial::<Untagged>(),
        partial::<Tagged>(),
        partial::<Flat>(),
        partial::<Adjacent>(),
        partial::<Vec<Date>>(),
        partial::<(Whatever, u8)>(),
    ]);
}

#[test]
fn what_is_beside_the_untraceable_is_seen() {
    #[derive(Deserialize)]
    struct Order<R, V> {
        when: R,
        maps: HashMap<String, (V, R)>,
        what: V,
        lines: Vec<(V, R)>,
        state: State<R, V>,
    }
    #[derive(Deserialize)]
    enum State<R, V> {
        Since(R),
        Pair(Option<R>, V),
        Done { by: R, with: V },
    }
    fn seen<R: DeserializeOwned>() {
        // Not the printed names, which make them differ in any case.
        let texts = [
            trace::<Order<R, u8>>().text(),
            trace::<Order<R, NonZeroU64>>().text(),
            trace::<Order<R, tree::Expression<u8>>>().text(),
            trace::<Order<R, tree::Expression<u16>>>().text(),
        ];
        for text in &texts {
            assert!(!text.contains('?'), "{text}");
        }
        assert_eq!(HashSet::from(texts).len(), 4);
    }
    #[derive(Deserialize)]
    enum Never {}
    seen::<Date>();
    seen::<Whatever>();
    seen::<Panics>();
    seen::<Never>();
}

#[test]
fn a_type_without_an_end_is_seen_all_the_same() {
    #[derive(Deserialize)]
    struct Endless<V> {
        next: Box<Endless<V>>,
        beside: V,
    }
    differ([whole::<Endless<u8>>(), whole::<Endless<u16>>()]);
}

/// A hundred kinds of itself, then one that ends.
struct Wide<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Wide<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_enum("Wide", &[""; 101], Self(PhantomData))
    }
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Wide<V> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<Self, A::Error> {
        match variant.variant()? {
            (0..100_u32, variant) => variant.newtype_variant::<Box<Self>>().map(|inner| *inner),
            (_, variant) => variant.newtype_variant::<V>().map(|_| self),
        }
    }
}

#[test]
fn a_type_with_many_ways_into_itself_is_seen() {
    differ([whole::<Wide<u8>>(), whole::<Wide<u16>>(), whole::<(Wide<u8>, Wide<u16>)>()]);
}

#[test]
fn a_type_that_is_too_large_to_be_seen_is_partial() {
    #[derive(Deserialize)]
    struct In<V>(V);
    type Ten<V> = In<In<In<In<In<In<In<In<In<In<V>>>>>>>>>>;
    type Cube = [[[u8; 32]; 32]; 32];
    struct Long;
    impl<'de> Deserialize<'de> for Long {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_tuple(usize::MAX, InOrder).map(|_| Self)
        }
    }
    whole::<Ten<Ten<Ten<Ten<Ten<u8>>>>>>();
    partial::<Ten<Ten<Ten<Ten<Ten<Ten<Ten<u8>>>>>>>>();
    partial::<(Cube, Cube, Cube)>();
    partial::<Long>();
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = (u8, String);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("two fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let first = fields.next_element()?.ok_or_else(|| de::Error::missing_field("a"))?;
        let second = fields.next_element()?.ok_or_else(|| de::Error::missing_field("b"))?;
        Ok((first, second))
    }
}

#[test]
fn fields_that_can_be_had_in_order_only_are_seen() {
    struct Record;
    impl<'de> Deserialize<'de> for Record {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_struct("Record", &["a", "b"], InOrder).map(|_| Self)
        }
    }
    whole::<(Record, Record)>();
    let text = trace::<Record>().text();
    assert!(text.contains("u8") && text.contains("string"), "{text}");
}

#[test]
fn other_names_of_fields_and_variants_are_no_parts_of_their_own() {
    differ(shapes! {
        struct T { #[serde(alias = "a", alias = "z")] b: u8, c: u16 }
        struct T { b: u8, c: u16 }
        enum T { #[serde(alias = "A")] B(u8), C(u16) }
        enum T { B(u8), C(u16) }
        struct T { #[serde(default)] b: u8, #[serde(default, alias = "d")] c: u16 }
    });
}

#[test]
fn a_type_may_ask_for_nothing() {
    struct Nothing;
    impl<'de> Deserialize<'de> for Nothing {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    struct Map(PhantomData<Nothing>);
    impl<'de> Visitor<'de> for Map {
        type Value = Self;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Self, A::Error> {
            Ok(self)
        }
    }
    impl<'de> Deserialize<'de> for Map {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_map(Map(PhantomData))
        }
    }
    differ([whole::<Nothing>(), whole::<(Nothing, u8)>(), partial::<Map>()]);
}

#[test]
fn a_shape_stays_what_it_is() {
    type Shaped = Vec<Result<tree::Tree<u8>, Duration>>;
    let text = trace::<Shaped>().text();
    let expected = r#"1
Newtype "" 1,
Seq "" 2,
Enum "Result" "Ok" 3, "Err" 7,
Newtype "" 4,
Struct "Tree" "value" 5, "left" 6, "right" 6,
Leaf "u8"
Option "" 4,
Newtype "" 8,
Struct "Duration" "secs" 9, "nanos" 10,
Leaf "u64"
Leaf "u32"
"#;
    assert_eq!(text, expected);
    assert_eq!(
        whole::<Shaped>(),
        [182, 62, 172, 78, 138, 191, 72, 57, 51, 189, 244, 229, 136, 79, 240, 249]
    );
}
