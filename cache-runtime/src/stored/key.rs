//! Keys in canonical bytes (K2): what leaves the process of a call's arguments.

use crate::codec::canonical::{self, Unencodable};
use crate::key::{Arg, Bits, Borrowed, Form, Never, No, OptionalBorrowed, Part, Plain, Yes};
use crate::view::{Nested, View};
use serde::Serialize;

/// A part of a key that can leave the process.
pub trait StoredPart: Part {
    #[doc(hidden)]
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable>;
}

/// A key that can leave the process: every part of it can.
pub trait StoredView: View {
    #[doc(hidden)]
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable>;
}

/// A type that can be part of a key beyond memory, in the form that [`Arg`] found for it. `Answer`
/// is as in `KeyPart`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of a cache key beyond `l1`",
    label = "needs `serde::Serialize`",
    note = "say what it means for the key with `key(..)`, for example `key(self.id, name.as_str())`, or leave it out with `skip(..)`"
)]
pub trait StorablePart<Form, Answer> {
    /// The form, for a type of which there is one.
    type Checked;

    #[doc(hidden)]
    fn checked(form: Form) -> Self::Checked;
}

#[diagnostic::do_not_recommend]
impl<T: Never + ?Sized, F> StorablePart<F, No> for T {
    type Checked = F;

    fn checked(form: F) -> F {
        form
    }
}

#[diagnostic::do_not_recommend]
impl<T: Copy> StorablePart<Bits, Yes> for T {
    type Checked = Bits;

    #[inline]
    fn checked(form: Bits) -> Bits {
        form
    }
}

impl Arg<'_, ()> {
    /// The form of an argument, if its type can be part of a key beyond memory.
    #[inline]
    pub fn storable<F: Form, Answer>(form: F) -> <F::Of as StorablePart<F, Answer>>::Checked
    where
        F::Of: StorablePart<F, Answer>,
    {
        <F::Of as StorablePart<F, Answer>>::checked(form)
    }
}

macro_rules! stored_part {
    ($form:ident $t:ident: $($bound:tt)+) => {
        #[diagnostic::do_not_recommend]
        impl<'a, $t: $($bound)+> StorablePart<$form<'a, $t>, Yes> for $t {
            type Checked = $form<'a, $t>;

            #[inline]
            fn checked(form: $form<'a, $t>) -> $form<'a, $t> {
                form
            }
        }

        impl<$t: $($bound)+> StoredPart for $form<'_, $t>
        where
            Self: Part,
        {
            fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable> {
                canonical::encode(&self.0, out)
            }
        }
    };
}

stored_part! { Plain T: Serialize }
stored_part! { Borrowed T: Serialize + ?Sized }
stored_part! { OptionalBorrowed T: Serialize + ?Sized }

impl StoredPart for Bits {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        canonical::encode(&self.0, out)
    }
}

impl<V: StoredView> StoredPart for Nested<V> {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable> {
        self.0.encode(out)
    }
}

macro_rules! stored_view_for_tuples {
    ($($($part:ident $at:tt),*;)*) => { $(
        impl<$($part: StoredPart),*> StoredView for ($($part,)*)
        where
            Self: View,
        {
            fn encode(&self, out: &mut Vec<u8>) -> Result<(), Unencodable> {
                let _ = &out;
                $(self.$at.encode(out)?;)*
                Ok(())
            }
        }
    )* };
}

stored_view_for_tuples! {
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
