//! Sequences of numbers as bincode writes them, read without it: asked for each of them in turn, it
//! takes several times as long, and bytes and embeddings are long.
//!
//! 1. What is read is what bincode would read, and what it refuses is refused.

use super::fault::Fault;
use std::any::Any;

/// Whether a type is a sequence of numbers that is known here.
pub(super) fn are<V: 'static>() -> bool {
    decode::<V>(&[]).is_some()
}

/// The value, if its type is a sequence of numbers that is known here.
pub(super) fn decode<V: 'static>(bytes: &[u8]) -> Option<Result<V, Fault>> {
    let mut value: Option<V> = None;
    let place: &mut dyn Any = &mut value;
    if let Some(place) = place.downcast_mut::<Option<Vec<u8>>>() {
        *place = each(bytes, u8::from_le_bytes);
    } else if let Some(place) = place.downcast_mut::<Option<Vec<f32>>>() {
        *place = each(bytes, f32::from_le_bytes);
    } else if let Some(place) = place.downcast_mut::<Option<Vec<f64>>>() {
        *place = each(bytes, f64::from_le_bytes);
    } else {
        return None;
    }
    let malformed = || Fault::Undecodable("a sequence of another length than announced".to_owned());
    Some(value.ok_or_else(malformed))
}

/// The numbers, if there are as many as there should be.
fn each<T, const WIDTH: usize>(bytes: &[u8], number: impl Fn([u8; WIDTH]) -> T) -> Option<Vec<T>> {
    let (length, numbers) = bytes.split_first_chunk()?;
    let (numbers, rest) = numbers.as_chunks();
    let announced = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let is_whole = rest.is_empty() && announced == numbers.len();
    is_whole.then(|| numbers.iter().map(|bytes| number(*bytes)).collect())
}
