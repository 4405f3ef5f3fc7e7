//! Values that are short, whatever they own: room for them is made beforehand, and copied into.
//!
//! 1. Copying into room that a value fits allocates nothing.
//! 2. Nothing but memory is owned by what has room here. Dropping it late keeps that memory, and
//!    shows in nothing but the count of an `Arc`.

use std::any::Any;
use std::sync::Arc;

/// The most bytes, in memory of its own, of a value that counts as short.
pub(crate) const SHORT: usize = 56;

/// A value with room for any other short one, if `T` is a type of which that can be made.
#[inline]
pub(crate) fn room<T: 'static>() -> Option<T> {
    let mut made: Option<T> = None;
    macro_rules! try_types {
        ($($type:ty = $room:expr;)*) => { $(
            if let Some(made) = (&mut made as &mut dyn Any).downcast_mut::<Option<$type>>() {
                *made = Some($room);
            }
        )* };
    }
    try_types! {
        String = String::with_capacity(SHORT);
        Vec<u8> = Vec::with_capacity(SHORT);
        Arc<str> = Arc::default();
        Arc<[u8]> = Arc::default();
        bool = false;
        char = '\0';
        u8 = 0; u16 = 0; u32 = 0; u64 = 0; u128 = 0; usize = 0;
        i8 = 0; i16 = 0; i32 = 0; i64 = 0; i128 = 0; isize = 0;
    }
    made
}

/// Whether a value, of a type that there is room for, is short.
#[inline]
pub(crate) fn is_short<T: 'static>(value: &T) -> bool {
    let value: &dyn Any = value;
    let length = if let Some(text) = value.downcast_ref::<String>() {
        text.len()
    } else if let Some(bytes) = value.downcast_ref::<Vec<u8>>() {
        bytes.len()
    } else if let Some(text) = value.downcast_ref::<Arc<str>>() {
        text.len()
    } else if let Some(bytes) = value.downcast_ref::<Arc<[u8]>>() {
        bytes.len()
    } else {
        0
    };
    length <= SHORT
}

#[cfg(test)]
mod tests {
    use super::{SHORT, is_short, room};
    use std::sync::Arc;

    #[test]
    fn what_there_is_room_for_is_copied_without_a_new_allocation() {
        let mut text = room::<String>().expect("texts have room");
        let before = text.as_ptr();
        text.clone_from(&"x".repeat(SHORT));
        assert_eq!((text.len(), text.as_ptr()), (SHORT, before));
        assert!(is_short(&text));
    }

    #[test]
    fn what_is_long_is_told() {
        assert!(!is_short(&"x".repeat(SHORT + 1)));
        assert!(!is_short(&Arc::<[u8]>::from(vec![0; SHORT + 1])));
        assert!(is_short(&u64::MAX));
    }

    #[test]
    fn there_is_no_room_for_what_may_own_more_than_memory() {
        assert!(room::<Box<dyn Fn() + Send>>().is_none());
        assert!(room::<Vec<String>>().is_none());
        assert!(room::<Arc<String>>().is_none());
    }
}
