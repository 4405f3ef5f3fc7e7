//! Values of several parts under way: what is put before or in order once all parts are there.

use super::encoder::Encoder;
use super::{Done, Unencodable};
use serde::ser::{self, Serialize};

#[inline]
pub(super) fn length(length: usize) -> Result<[u8; 4], Unencodable> {
    let length = u32::try_from(length).map_err(|_| Unencodable::TooLong)?;
    Ok(length.to_le_bytes())
}

/// Elements or fields under way; their count is put before them when all are there.
pub(super) struct Counted<'a> {
    out: &'a mut Vec<u8>,
    at: usize,
    count: usize,
}

impl<'a> Counted<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        Self { out, at, count: 0 }
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.count += 1;
        value.serialize(Encoder(self.out))
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Done {
        Encoder(self.out).bytes(name.as_bytes())?;
        self.element(value)
    }

    #[inline]
    fn finish(self) -> Done {
        let count = length(self.count)?;
        self.out[self.at..self.at + 4].copy_from_slice(&count);
        Ok(())
    }
}

macro_rules! counted {
    ($($trait:ident $method:ident $($name:ident)?),*) => {$(
        impl ser::$trait for Counted<'_> {
            type Ok = ();
            type Error = Unencodable;

            #[inline]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Done {
                counted!(@ self value $($name)?)
            }

            #[inline]
            fn end(self) -> Done {
                self.finish()
            }
        }
    )*};
    (@ $self:ident $value:ident) => { $self.element($value) };
    (@ $self:ident $value:ident $name:ident) => { $self.field($name, $value) };
}

counted!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
    SerializeStruct serialize_field name,
    SerializeStructVariant serialize_field name
);

/// A map under way: where its keys and values begin, in turn.
pub(super) struct Entries<'a> {
    counted: Counted<'a>,
    bounds: Vec<usize>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(counted: Counted<'a>, announced: Option<usize>) -> Self {
        // Announced is not there yet: it may be anything.
        let bounds = Vec::with_capacity(announced.unwrap_or_default().min(1_024) * 2);
        Self { counted, bounds }
    }

    fn part<T: Serialize + ?Sized>(&mut self, value: &T, is_key: bool) -> Done {
        if self.bounds.len().is_multiple_of(2) != is_key {
            return Err(Unencodable::OutOfTurn);
        }
        self.bounds.push(self.counted.out.len());
        value.serialize(Encoder(self.counted.out))
    }

    fn sort(&mut self) {
        let out = &mut *self.counted.out;
        let start = self.counted.at + 4;
        let ends = self.bounds.iter().skip(2).step_by(2).copied().chain([out.len()]);
        let mut entries: Vec<_> = self
            .bounds
            .chunks_exact(2)
            .zip(ends)
            .map(|(entry, end)| (entry[0], entry[1], end))
            .collect();
        let form = |entry: &(usize, usize, usize)| &out[entry.0..entry.1];
        if entries.is_sorted_by_key(form) {
            return;
        }
        entries.sort_by(|one, other| form(one).cmp(form(other)));
        let mut sorted = Vec::with_capacity(out.len() - start);
        for (key, _, end) in entries {
            sorted.extend_from_slice(&out[key..end]);
        }
        out[start..].copy_from_slice(&sorted);
    }
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Unencodable;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.part(key, true)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        self.part(value, false)
    }

    fn end(mut self) -> Done {
        if !self.bounds.len().is_multiple_of(2) {
            return Err(Unencodable::OutOfTurn);
        }
        self.sort();
        self.counted.count = self.bounds.len() / 2;
        self.counted.finish()
    }
}
