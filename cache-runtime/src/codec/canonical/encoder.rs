//! The canonical form of one value: a tag, then what it holds.

use super::compound::{Counted, Entries, length};
use super::{Done, Unencodable};
use serde::ser::{self, Serialize};
use std::fmt::{self, Write};

/// What comes before everything. The numbers are part of the form: new ones go to the end.
#[derive(Clone, Copy)]
enum Tag {
    Bool = 1,
    I8,
    I16,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    F32,
    F64,
    Char,
    Str,
    Bytes,
    None,
    Some,
    Unit,
    UnitStruct,
    UnitVariant,
    NewtypeStruct,
    NewtypeVariant,
    Seq,
    Tuple,
    TupleStruct,
    TupleVariant,
    Map,
    Struct,
    StructVariant,
}

pub(super) struct Encoder<'a>(pub(super) &'a mut Vec<u8>);

impl<'a> Encoder<'a> {
    #[inline]
    fn tag(&mut self, tag: Tag) {
        self.0.push(tag as u8);
    }

    #[inline]
    fn fixed<const N: usize>(&mut self, tag: Tag, bytes: [u8; N]) {
        self.tag(tag);
        self.0.extend_from_slice(&bytes);
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Done {
        self.0.extend_from_slice(&length(bytes.len())?);
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    #[inline]
    fn named(&mut self, tag: Tag, name: &str) -> Done {
        self.tag(tag);
        self.bytes(name.as_bytes())
    }

    #[inline]
    fn variant(&mut self, tag: Tag, name: &str, index: u32, variant: &str) -> Done {
        self.named(tag, name)?;
        self.0.extend_from_slice(&index.to_le_bytes());
        self.bytes(variant.as_bytes())
    }

    #[inline]
    fn counted(self) -> Counted<'a> {
        Counted::new(self.0)
    }
}

macro_rules! numbers {
    ($($method:ident $type:ident $tag:ident),*) => {$(
        #[inline]
        fn $method(mut self, value: $type) -> Done {
            self.fixed(Tag::$tag, value.to_le_bytes());
            Ok(())
        }
    )*};
}

impl<'a> ser::Serializer for Encoder<'a> {
    type Ok = ();
    type Error = Unencodable;
    type SerializeSeq = Counted<'a>;
    type SerializeTuple = Counted<'a>;
    type SerializeTupleStruct = Counted<'a>;
    type SerializeTupleVariant = Counted<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Counted<'a>;
    type SerializeStructVariant = Counted<'a>;

    numbers!(
        serialize_i8 i8 I8, serialize_i16 i16 I16, serialize_i32 i32 I32, serialize_i64 i64 I64,
        serialize_i128 i128 I128, serialize_u8 u8 U8, serialize_u16 u16 U16,
        serialize_u32 u32 U32, serialize_u64 u64 U64, serialize_u128 u128 U128,
        serialize_f32 f32 F32, serialize_f64 f64 F64
    );

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(mut self, value: bool) -> Done {
        self.fixed(Tag::Bool, [u8::from(value)]);
        Ok(())
    }

    fn serialize_char(mut self, value: char) -> Done {
        self.fixed(Tag::Char, u32::from(value).to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Done {
        self.tag(Tag::Str);
        self.bytes(value.as_bytes())
    }

    /// Overridden since serde's own panics where a `Display` fails.
    fn collect_str<T: fmt::Display + ?Sized>(mut self, value: &T) -> Done {
        self.tag(Tag::Str);
        let at = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        write!(Text(self.0), "{value}").map_err(<Unencodable as ser::Error>::custom)?;
        let length = length(self.0.len() - at - 4)?;
        self.0[at..at + 4].copy_from_slice(&length);
        Ok(())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Done {
        self.tag(Tag::Bytes);
        self.bytes(value)
    }

    fn serialize_none(mut self) -> Done {
        self.tag(Tag::None);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Done {
        self.tag(Tag::Some);
        value.serialize(self)
    }

    fn serialize_unit(mut self) -> Done {
        self.tag(Tag::Unit);
        Ok(())
    }

    fn serialize_unit_struct(mut self, name: &'static str) -> Done {
        self.named(Tag::UnitStruct, name)
    }

    fn serialize_unit_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Done {
        self.variant(Tag::UnitVariant, name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        value: &T,
    ) -> Done {
        self.named(Tag::NewtypeStruct, name)?;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        self.variant(Tag::NewtypeVariant, name, index, variant)?;
        value.serialize(self)
    }

    fn serialize_seq(mut self, _: Option<usize>) -> Result<Counted<'a>, Unencodable> {
        self.tag(Tag::Seq);
        Ok(self.counted())
    }

    #[inline]
    fn serialize_tuple(mut self, _: usize) -> Result<Counted<'a>, Unencodable> {
        self.tag(Tag::Tuple);
        Ok(self.counted())
    }

    fn serialize_tuple_struct(
        mut self,
        name: &'static str,
        _: usize,
    ) -> Result<Counted<'a>, Unencodable> {
        self.named(Tag::TupleStruct, name)?;
        Ok(self.counted())
    }

    fn serialize_tuple_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Counted<'a>, Unencodable> {
        self.variant(Tag::TupleVariant, name, index, variant)?;
        Ok(self.counted())
    }

    fn serialize_map(mut self, length: Option<usize>) -> Result<Entries<'a>, Unencodable> {
        self.tag(Tag::Map);
        Ok(Entries::new(self.counted(), length))
    }

    fn serialize_struct(
        mut self,
        name: &'static str,
        _: usize,
    ) -> Result<Counted<'a>, Unencodable> {
        self.named(Tag::Struct, name)?;
        Ok(self.counted())
    }

    fn serialize_struct_variant(
        mut self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Counted<'a>, Unencodable> {
        self.variant(Tag::StructVariant, name, index, variant)?;
        Ok(self.counted())
    }
}

struct Text<'a>(&'a mut Vec<u8>);

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
