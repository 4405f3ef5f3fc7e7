//! A boxed value of any type, with its type beside it: what `Box<dyn Any>` is, without a virtual
//! call to ask for the type, which is a tenth of what a hit takes.
//!
//! 1. `id` is the type of `value`, from the moment both are made; neither is ever replaced.

#![expect(unsafe_code, reason = "a cast that the type beside it vouches for")]

use std::any::{Any, TypeId};
use std::ptr;

pub(crate) struct Typed {
    id: TypeId,
    value: Box<dyn Any>,
}

impl Typed {
    pub(crate) fn new<T: Any>(value: T) -> Self {
        Self { id: TypeId::of::<T>(), value: Box::new(value) }
    }

    /// The value, if it is of this type.
    #[inline]
    pub(crate) fn get_mut<T: Any>(&mut self) -> Option<&mut T> {
        if self.id != TypeId::of::<T>() {
            return None;
        }
        let value: *mut dyn Any = ptr::from_mut(&mut *self.value);
        // SAFETY: the value is a `T` (1), and is borrowed as long and as exclusively as `self` is.
        Some(unsafe { &mut *value.cast::<T>() })
    }
}

#[cfg(test)]
mod tests {
    use super::Typed;

    #[test]
    fn a_value_is_had_as_what_it_is_and_as_nothing_else() {
        let mut text = Typed::new(String::from("a"));
        assert!(text.get_mut::<Vec<u8>>().is_none());
        assert!(text.get_mut::<&str>().is_none());
        text.get_mut::<String>().expect("it is one").push('b');
        assert_eq!(text.get_mut::<String>().map(|text| text.as_str()), Some("ab"));
    }

    #[test]
    fn a_value_without_size_is_had_too() {
        let mut nothing = Typed::new(());
        assert!(nothing.get_mut::<()>().is_some());
        assert!(nothing.get_mut::<[u8; 0]>().is_none());
    }

    #[test]
    fn the_value_is_dropped_once() {
        let shared = std::sync::Arc::new(());
        let mut typed = Typed::new(std::sync::Arc::clone(&shared));
        assert!(typed.get_mut::<std::sync::Arc<()>>().is_some());
        drop(typed);
        assert_eq!(std::sync::Arc::strong_count(&shared), 1);
    }
}
