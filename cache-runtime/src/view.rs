//! Keys: how the arguments of a call are compared without being owned (K1).
//!
//! 1. A [`View`] borrows the arguments; [`View::Owned`] is what the map keeps.
//! 2. A view matches an owned key exactly if the owned form of the view equals that key.
//! 3. A key is hashed once, as a view. Its owned form carries the hash, so the two never need to
//!    hash alike.

use crate::key::{OwnedKey, Part};
use std::hash::Hasher;

/// All parts of a call's key.
pub trait View {
    /// The key as the cache keeps it.
    type Owned: OwnedKey;

    #[doc(hidden)]
    fn hash_into<H: Hasher>(&self, state: &mut H);
    #[doc(hidden)]
    fn matches(&self, owned: &Self::Owned) -> bool;
    #[doc(hidden)]
    fn own(&self) -> Self::Owned;
    #[doc(hidden)]
    fn room() -> Option<Self::Owned>;
    #[doc(hidden)]
    fn is_short(&self) -> bool;
    #[doc(hidden)]
    fn own_into(&self, place: &mut Self::Owned);
}

macro_rules! view_for_tuples {
    ($($($part:ident $at:tt),*;)*) => { $(
        impl<$($part: Part),*> View for ($($part,)*) {
            type Owned = ($($part::Owned,)*);

            #[inline]
            fn hash_into<H: Hasher>(&self, state: &mut H) {
                let _ = state;
                $(self.$at.hash_into(state);)*
            }

            #[inline]
            fn matches(&self, owned: &Self::Owned) -> bool {
                let _ = owned;
                true $(&& self.$at.matches(&owned.$at))*
            }

            #[allow(clippy::unused_unit, reason = "the empty tuple is one of the lists")]
            fn own(&self) -> Self::Owned {
                ($(self.$at.own(),)*)
            }

            #[inline]
            fn room() -> Option<Self::Owned> {
                Some(($($part::room()?,)*))
            }

            #[inline]
            fn is_short(&self) -> bool {
                true $(&& self.$at.is_short())*
            }

            #[inline]
            fn own_into(&self, place: &mut Self::Owned) {
                let _ = place;
                $(self.$at.own_into(&mut place.$at);)*
            }
        }
    )* };
}

view_for_tuples! {
    ;
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, I 7;
}

/// Parts beyond what one tuple holds, nested.
pub struct Nested<V>(pub V);

impl<V: View> Part for Nested<V> {
    type Owned = V::Owned;

    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash_into(state);
    }

    #[inline]
    fn matches(&self, owned: &V::Owned) -> bool {
        self.0.matches(owned)
    }

    fn own(&self) -> V::Owned {
        self.0.own()
    }

    #[inline]
    fn room() -> Option<V::Owned> {
        V::room()
    }

    #[inline]
    fn is_short(&self) -> bool {
        self.0.is_short()
    }

    #[inline]
    fn own_into(&self, place: &mut V::Owned) {
        self.0.own_into(place);
    }
}
