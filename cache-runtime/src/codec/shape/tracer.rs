//! The source that a type is deserialized from: it has a value for whatever is asked, and notes what
//! that was.

use super::elements::{Elements, Fields, Heard};
use super::graph::Graph;
use super::node::{Head, Kind, NodeId, Parts, Place};
use serde::de::value::U32Deserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use std::any::TypeId;
use std::fmt;

/// Types within types, at most: a run that wants to see too much at once ends here.
const MOST_DEPTH: usize = 64;

/// Why there is no value. What was refused is known where it is.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A field came twice, or under two names.
    Duplicate,
    Other,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("can't be traced")
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::Duplicate
    }
}

pub(super) type Traced<T> = Result<T, Refusal>;

/// Stands at a place and has a value for it.
pub(super) struct Tracer<'g> {
    pub(super) graph: &'g mut Graph,
    pub(super) place: Place,
    /// The nearest unseen place is here or below.
    pub(super) led: bool,
    pub(super) depth: usize,
}

impl<'g> Tracer<'g> {
    pub(super) fn new(graph: &'g mut Graph) -> Self {
        Self { graph, place: Place::ROOT, led: true, depth: 0 }
    }

    fn announce<T: ?Sized>(
        &mut self,
        kind: Kind,
        name: &'static str,
        parts: Parts,
    ) -> Traced<NodeId> {
        if self.depth > MOST_DEPTH {
            self.graph.abandon();
            return Err(Refusal::Other);
        }
        if !self.graph.step() {
            return Err(Refusal::Other);
        }
        // What every type asks for alike is one type.
        let id = if kind == Kind::Leaf { TypeId::of::<()>() } else { typeid::of::<T>() };
        self.graph.announce(self.place, id, Head { kind, name, parts }).ok_or(Refusal::Other)
    }

    fn leaf(&mut self, name: &'static str) -> Traced<()> {
        self.announce::<()>(Kind::Leaf, name, Parts::Numbered(0)).map(drop)
    }

    fn parts(self, node: NodeId) -> Elements<'g> {
        let order = self.graph.order(node, self.led).into_iter();
        Elements { graph: self.graph, node, led: self.led, depth: self.depth, order }
    }

    fn by_name<'de, V: Visitor<'de>>(
        self,
        node: NodeId,
        names: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        let mut heard = Heard::default();
        let order = self.graph.order(node, self.led).into_iter();
        let Self { graph, led, depth, .. } = self;
        let elements = Elements { graph: &mut *graph, node, led, depth, order };
        let value = visitor.visit_map(Fields { elements, names, heard: &mut heard });
        match (&value, heard.last) {
            (Err(_), _) if !heard.asked => graph.in_order(node),
            (Err(Refusal::Duplicate), Some(index)) => graph.absent(Place { node, index }),
            _ => {}
        }
        value
    }
}

macro_rules! leaves {
    ($($method:ident $name:literal $visit:ident $($value:expr)?),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Traced<V::Value> {
            self.leaf($name)?;
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Refusal;

    // One, since some numbers can't be zero and few can't be one.
    leaves!(
        deserialize_bool "bool" visit_bool true,
        deserialize_i8 "i8" visit_i8 1,
        deserialize_i16 "i16" visit_i16 1,
        deserialize_i32 "i32" visit_i32 1,
        deserialize_i64 "i64" visit_i64 1,
        deserialize_i128 "i128" visit_i128 1,
        deserialize_u8 "u8" visit_u8 1,
        deserialize_u16 "u16" visit_u16 1,
        deserialize_u32 "u32" visit_u32 1,
        deserialize_u64 "u64" visit_u64 1,
        deserialize_u128 "u128" visit_u128 1,
        deserialize_f32 "f32" visit_f32 1.0,
        deserialize_f64 "f64" visit_f64 1.0,
        deserialize_char "char" visit_char '1',
        deserialize_str "string" visit_str "1",
        deserialize_string "string" visit_string "1".to_owned(),
        deserialize_bytes "bytes" visit_bytes &[1],
        deserialize_byte_buf "bytes" visit_byte_buf vec![1],
        deserialize_unit "unit" visit_unit,
        deserialize_ignored_any "ignored" visit_unit,
    );

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(mut self, _: V) -> Traced<V::Value> {
        self.leaf("any")?;
        self.graph.blur();
        Err(Refusal::Other)
    }

    fn deserialize_identifier<V: Visitor<'de>>(mut self, visitor: V) -> Traced<V::Value> {
        self.leaf("identifier")?;
        self.graph.blur();
        visitor.visit_u32(0)
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Option, "", Parts::Numbered(1))?;
        let mut parts = self.parts(node);
        if parts.order.next().is_none() {
            return visitor.visit_none();
        }
        let value = visitor.visit_some(parts.at(0))?;
        parts.built(0);
        Ok(value)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Traced<V::Value> {
        self.announce::<V>(Kind::Unit, name, Parts::Numbered(0))?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Newtype, name, Parts::Numbered(1))?;
        let mut parts = self.parts(node);
        let value = visitor.visit_newtype_struct(parts.at(0))?;
        parts.built(0);
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Seq, "", Parts::Numbered(1))?;
        visitor.visit_seq(self.parts(node))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Traced<V::Value> {
        self.deserialize_tuple_struct("", len, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Tuple, name, Parts::Numbered(len))?;
        visitor.visit_seq(self.parts(node))
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Map, "", Parts::Numbered(2))?;
        visitor.visit_map(self.parts(node))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Struct, name, Parts::Named(fields))?;
        if self.graph.takes_fields_in_order(node) {
            visitor.visit_seq(self.parts(node))
        } else {
            self.by_name(node, fields, visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        let node = self.announce::<V>(Kind::Enum, name, Parts::Named(variants))?;
        let mut parts = self.parts(node);
        let index = parts.order.next().ok_or(Refusal::Other)?;
        let value = visitor.visit_enum(parts.at(index))?;
        parts.built(index);
        Ok(value)
    }
}

/// The variant is the place.
impl<'de> EnumAccess<'de> for Tracer<'_> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Traced<(S::Value, Self)> {
        let index = u32::try_from(self.place.index).expect("a node has few places");
        let index: U32Deserializer<Refusal> = index.into_deserializer();
        let variant = seed.deserialize(index);
        if variant.is_err() {
            self.graph.absent(self.place);
        }
        variant.map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for Tracer<'_> {
    type Error = Refusal;

    fn unit_variant(mut self) -> Traced<()> {
        self.leaf("unit variant")
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(mut self, seed: S) -> Traced<S::Value> {
        let node = self.announce::<S>(Kind::Newtype, "", Parts::Numbered(1))?;
        let mut parts = self.parts(node);
        let value = seed.deserialize(parts.at(0))?;
        parts.built(0);
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Traced<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Traced<V::Value> {
        self.deserialize_struct("", fields, visitor)
    }
}
