//! Parts of keys: how one argument of a call is compared without being owned (K1).
//!
//! A part matches an owned one exactly if the owned form of the part equals it.

use crate::short::{self, SHORT};
use std::borrow::{Borrow, Cow};
use std::hash::{Hash, Hasher};

/// A key, or a part of one, as the cache keeps it.
pub trait OwnedKey: Eq + Send + Sync + 'static {}

impl<T: Eq + Send + Sync + 'static> OwnedKey for T {}

/// One argument, as the key sees it. Implemented by what [`Arg`] makes of a borrowed argument.
pub trait Part {
    /// What is kept of it in the cache.
    type Owned: OwnedKey;

    #[doc(hidden)]
    fn hash_into<H: Hasher>(&self, state: &mut H);
    #[doc(hidden)]
    fn matches(&self, owned: &Self::Owned) -> bool;
    #[doc(hidden)]
    fn own(&self) -> Self::Owned;

    /// A key with room for any short one, if there is one.
    #[doc(hidden)]
    #[inline]
    fn room() -> Option<Self::Owned> {
        None
    }

    /// Whether it goes into that room.
    #[doc(hidden)]
    #[inline]
    fn is_short(&self) -> bool {
        false
    }

    /// Puts the owned form in the place of another one, whose memory is used again.
    #[doc(hidden)]
    #[inline]
    fn own_into(&self, place: &mut Self::Owned) {
        *place = self.own();
    }
}

/// An argument about to become part of a key. `__larder_part()` picks the form by the argument's type:
/// an inherent method where the type is one of those below, [`PlainArg`]'s otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a, A: ?Sized>(pub &'a A);

/// A type that can be part of a key in the form that [`Arg`] found for it.
///
/// `Answer` is for inference to find. That there are two answers to choose from, of which only
/// [`Yes`] is ever true, makes the compiler name the type at fault and not the first of the bounds
/// that it misses; and since the checked form is unknown without an answer, nothing else is
/// reported that comes of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be part of a cache key",
    label = "needs `Clone + Hash + Eq + Send + Sync + 'static`",
    note = "say what it means for the key with `key(..)`, for example `key(self.id, name.as_str())`, or leave it out with `skip(..)`",
    note = "floating-point numbers inside other types are never keys; write `key(x.to_bits())`"
)]
pub trait KeyPart<Form, Answer> {
    /// The form, for a type of which there is one.
    type Checked;

    #[doc(hidden)]
    fn checked(form: Form) -> Self::Checked;
}

/// The answer for a type that can be part of a key, or be cached.
pub struct Yes;

/// The answer that is never true.
pub struct No;

/// What no type is.
pub trait Never {}

#[diagnostic::do_not_recommend]
impl<T: Never + ?Sized, Form> KeyPart<Form, No> for T {
    type Checked = Form;

    fn checked(form: Form) -> Form {
        form
    }
}

macro_rules! key_part {
    ($form:ident, $t:ident: $($bound:tt)+) => {
        #[diagnostic::do_not_recommend]
        impl<'a, $t: $($bound)+> KeyPart<$form<'a, $t>, Yes> for $t {
            type Checked = $form<'a, $t>;

            #[inline]
            fn checked(form: $form<'a, $t>) -> $form<'a, $t> {
                form
            }
        }
    };
}

key_part!(Plain, T: Clone + Hash + Eq + Send + Sync + 'static);
key_part!(Borrowed, T: ?Sized + Hash + Eq + ToOwned<Owned: OwnedKey>);
key_part!(OptionalBorrowed, T: ?Sized + Hash + Eq + ToOwned<Owned: OwnedKey>);

#[diagnostic::do_not_recommend]
impl<T: Copy> KeyPart<Bits, Yes> for T {
    type Checked = Bits;

    #[inline]
    fn checked(form: Bits) -> Bits {
        form
    }
}

/// The form of an argument in a key, whether or not its type can be one.
pub trait Form {
    /// The type that is asked.
    type Of: ?Sized;
}

impl<A: ?Sized> Form for Plain<'_, A> {
    type Of = A;
}

impl<B: ?Sized> Form for Borrowed<'_, B> {
    type Of = B;
}

impl<B: ?Sized> Form for OptionalBorrowed<'_, B> {
    type Of = B;
}

impl Form for Bits {
    type Of = u64;
}

impl Arg<'_, ()> {
    /// The form of an argument, if its type can be part of a key.
    #[inline]
    pub fn checked<F: Form, Answer>(form: F) -> <F::Of as KeyPart<F, Answer>>::Checked
    where
        F::Of: KeyPart<F, Answer>,
    {
        <F::Of as KeyPart<F, Answer>>::checked(form)
    }
}

/// An argument kept by cloning it.
pub struct Plain<'a, A: ?Sized>(pub(crate) &'a A);

impl<A: Clone + Hash + Eq + Send + Sync + 'static> Part for Plain<'_, A> {
    type Owned = A;

    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }

    #[inline]
    fn matches(&self, owned: &A) -> bool {
        self.0 == owned
    }

    fn own(&self) -> A {
        self.0.clone()
    }

    #[inline]
    fn room() -> Option<A> {
        short::room()
    }

    #[inline]
    fn is_short(&self) -> bool {
        short::is_short(self.0)
    }

    #[inline]
    fn own_into(&self, place: &mut A) {
        place.clone_from(self.0);
    }
}

/// The form of every argument whose type has no other.
pub trait PlainArg<'a, A: ?Sized> {
    /// The argument as it is.
    fn __larder_part(self) -> Plain<'a, A>;
}

impl<'a, A: ?Sized> PlainArg<'a, A> for Arg<'a, A> {
    #[inline]
    fn __larder_part(self) -> Plain<'a, A> {
        Plain(self.0)
    }
}

/// An argument behind a reference, kept as the owned form of what it points at.
pub struct Borrowed<'a, B: ?Sized>(pub(crate) &'a B);

impl<B: ?Sized + Hash + Eq + ToOwned<Owned: OwnedKey>> Part for Borrowed<'_, B> {
    type Owned = B::Owned;

    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }

    #[inline]
    fn matches(&self, owned: &B::Owned) -> bool {
        self.0 == owned.borrow()
    }

    fn own(&self) -> B::Owned {
        self.0.to_owned()
    }

    #[inline]
    fn room() -> Option<B::Owned> {
        // The size of a text or slice, which takes a length beside its address, is what its owned
        // form owns.
        let is_slice = size_of::<&B>() > size_of::<usize>();
        if is_slice { short::room() } else { None }
    }

    #[inline]
    fn is_short(&self) -> bool {
        size_of_val(self.0) <= SHORT
    }

    #[inline]
    fn own_into(&self, place: &mut B::Owned) {
        self.0.clone_into(place);
    }
}

impl<'b, B: ?Sized> Arg<'_, &'b B> {
    /// The referenced value, kept as its owned form.
    #[inline]
    pub fn __larder_part(self) -> Borrowed<'b, B> {
        Borrowed(self.0)
    }
}

impl<'a, B: ToOwned + ?Sized> Arg<'a, Cow<'_, B>> {
    /// The value, kept as its owned form.
    #[inline]
    pub fn __larder_part(self) -> Borrowed<'a, B> {
        Borrowed(&**self.0)
    }
}

/// An optional reference, kept as an optional owned value.
pub struct OptionalBorrowed<'a, B: ?Sized>(pub(crate) Option<&'a B>);

impl<B: ?Sized + Hash + Eq + ToOwned<Owned: OwnedKey>> Part for OptionalBorrowed<'_, B> {
    type Owned = Option<B::Owned>;

    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }

    #[inline]
    fn matches(&self, owned: &Self::Owned) -> bool {
        self.0 == owned.as_ref().map(Borrow::borrow)
    }

    fn own(&self) -> Self::Owned {
        self.0.map(ToOwned::to_owned)
    }
}

impl<'b, B: ?Sized> Arg<'_, Option<&'b B>> {
    /// The referenced value if there is one, kept as its owned form.
    #[inline]
    pub fn __larder_part(self) -> OptionalBorrowed<'b, B> {
        OptionalBorrowed(*self.0)
    }
}

/// A floating-point argument, told apart by its bits: `0.0` and `-0.0` are two keys, since a
/// function can tell them apart, and a NaN finds itself again.
pub struct Bits(pub(crate) u64);

impl Part for Bits {
    type Owned = u64;

    #[inline]
    fn hash_into<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }

    #[inline]
    fn matches(&self, owned: &u64) -> bool {
        self.0 == *owned
    }

    fn own(&self) -> u64 {
        self.0
    }

    #[inline]
    fn room() -> Option<u64> {
        Some(0)
    }

    #[inline]
    fn is_short(&self) -> bool {
        true
    }
}

impl Arg<'_, f64> {
    /// The number's bits.
    #[inline]
    pub fn __larder_part(self) -> Bits {
        Bits(self.0.to_bits())
    }
}

impl Arg<'_, f32> {
    /// The number's bits.
    #[inline]
    pub fn __larder_part(self) -> Bits {
        Bits(u64::from(self.0.to_bits()))
    }
}
