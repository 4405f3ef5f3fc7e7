//! What a function's return type means to the cache: which part of it is kept, what counts as a
//! failure, what can be handed to those who waited.
//!
//! The type decides, not its spelling: [`KindOf`] picks by autoref, most special first, so an alias
//! of `Result` is a `Result`.

use crate::key::{Never, No, Yes};
use std::fmt;
use std::marker::PhantomData;

/// A type whose values can be kept in memory.
pub trait Value: Clone + Send + Sync + 'static {}

impl<T: Clone + Send + Sync + 'static> Value for T {}

/// A type whose values can be kept in memory, asked of the [`Kind`] `K`. `Answer` is as in
/// [`KeyPart`](crate::key::KeyPart).
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` can't be cached",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "return an owned, cloneable type; `Arc<T>` makes any `Send + Sync` type cheap to clone"
)]
pub trait Cacheable<K, Answer> {
    /// The kind, for a type whose values can be kept.
    type Checked;

    #[doc(hidden)]
    fn checked(kind: K) -> Self::Checked;
}

#[diagnostic::do_not_recommend]
impl<T: Value, K> Cacheable<K, Yes> for T {
    type Checked = K;

    #[inline]
    fn checked(kind: K) -> K {
        kind
    }
}

#[diagnostic::do_not_recommend]
impl<T: Never, K> Cacheable<K, No> for T {
    type Checked = K;

    #[inline]
    fn checked(kind: K) -> K {
        kind
    }
}

/// A kind, whether or not there is a value of it that can be kept.
pub trait Asked {
    /// The type that is asked.
    type Of;
}

impl Probe<()> {
    /// The kind, if its values can be kept.
    #[inline]
    pub fn checked<K: Asked, Answer>(kind: K) -> <K::Of as Cacheable<K, Answer>>::Checked
    where
        K::Of: Cacheable<K, Answer>,
    {
        <K::Of as Cacheable<K, Answer>>::checked(kind)
    }
}

/// How one return type is cached. Zero-sized.
pub trait Kind: Copy + Send + Sync + 'static {
    /// The function's return type.
    type Out: 'static;
    /// The part that is kept.
    type Kept: Value;
    /// What callers that waited for the computation get a copy of.
    type Shared: Value;
    /// Whether a failure can be copied for them, too.
    const SHARES_FAILURES: bool = true;

    /// The part of `out` to keep, if it is one to keep at all.
    fn keep(self, out: &Self::Out) -> Option<Self::Kept>;
    /// What a caller gets for a kept value.
    fn serve(self, kept: &Self::Kept) -> Self::Out;
    /// The same, of a value that is kept nowhere else.
    fn release(self, kept: Self::Kept) -> Self::Out;
    /// A copy for those who waited, if one can be made.
    fn share(self, out: &Self::Out) -> Option<Self::Shared>;
    /// What a caller that waited gets.
    fn open(self, shared: &Self::Shared) -> Self::Out;
    /// Whether this is an outermost `Err` or `None`.
    fn is_negative(self, out: &Self::Out) -> bool;
    /// Whether a kept value is one that `is_negative` would say so of.
    fn keeps_negative(self, kept: &Self::Kept) -> bool;
    /// Whether this is an outermost `Err`.
    fn is_failure(self, out: &Self::Out) -> bool;
}

/// A kind whose failures can be handed to whoever waits for a computation that is carried out elsewhere.
#[diagnostic::on_unimplemented(
    message = "`deadline` on a function that is not async needs an `Err` that is `Clone`",
    label = "its computation goes on after its call, and what it comes to is handed on",
    note = "implement `Clone` for the error, or keep it in an `Arc`; or make the function async, which is dropped at its deadline"
)]
pub trait HandsOn {}

impl<Out> HandsOn for PlainKind<Out> {}
impl<T> HandsOn for OptionKind<T> {}
impl<T, E> HandsOn for SharedResultKind<T, E> {}
impl<K> HandsOn for Negative<K> {}

/// Asks a value whether it is a success: all but an outermost `Err` are.
pub struct Success<'a, T>(&'a T);

impl<'a, T> Success<'a, T> {
    /// The question.
    #[inline]
    pub fn of(value: &'a T) -> Self {
        Self(value)
    }
}

/// The answer to [`Success`] for a `Result`, by autoref.
pub trait SuccessOfResult {
    /// Returns it.
    fn __larder_succeeded(&self) -> bool;
}

impl<T, E> SuccessOfResult for Success<'_, Result<T, E>> {
    #[inline]
    fn __larder_succeeded(&self) -> bool {
        self.0.is_ok()
    }
}

/// The answer for anything else.
pub trait SuccessOfAny {
    /// Returns it.
    fn __larder_succeeded(&self) -> bool;
}

impl<T> SuccessOfAny for &Success<'_, T> {
    #[inline]
    fn __larder_succeeded(&self) -> bool {
        true
    }
}

/// The error of a [`Success`] that is none, as it prints: by autoref, at best for people.
pub trait ErrorForPeople {
    /// Returns it.
    fn __larder_error(&self) -> Option<String>;
}

impl<T, E: fmt::Display> ErrorForPeople for &&Success<'_, Result<T, E>> {
    fn __larder_error(&self) -> Option<String> {
        self.0.as_ref().err().map(ToString::to_string)
    }
}

/// The same, where it prints for programmers alone.
pub trait ErrorForProgrammers {
    /// Returns it.
    fn __larder_error(&self) -> Option<String>;
}

impl<T, E: fmt::Debug> ErrorForProgrammers for &Success<'_, Result<T, E>> {
    fn __larder_error(&self) -> Option<String> {
        self.0.as_ref().err().map(|error| format!("{error:?}"))
    }
}

/// The same, where it does not print.
pub trait ErrorForNobody {
    /// Returns nothing.
    fn __larder_error(&self) -> Option<String>;
}

impl<T> ErrorForNobody for Success<'_, T> {
    fn __larder_error(&self) -> Option<String> {
        None
    }
}

/// A kind whose values can be negative.
#[diagnostic::on_unimplemented(
    message = "`negative` needs a function that returns `Result` or `Option`",
    label = "neither `Err` nor `None` can come out of this"
)]
pub trait Fallible {
    /// The function's return type.
    type Whole;
}

/// Asks a return type for its [`Kind`]. Not `Sync`, so that the compiler never takes the question
/// for the value it asks about.
pub struct Probe<Out>(PhantomData<Question<Out>>);

/// What keeps a question from being `Sync`.
type Question<Out> = (fn() -> Out, *const ());

impl<Out> Probe<Out> {
    /// The question.
    #[expect(clippy::new_without_default, reason = "written by the macro only")]
    #[inline]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// The answer to a [`Probe`], by autoref.
pub trait KindOf {
    /// The kind of the return type asked for.
    type Kind;

    /// Returns it.
    fn __larder_kind(&self) -> Self::Kind;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident<$($param:ident),+>;)*) => { $(
        $(#[$doc])*
        pub struct $name<$($param),+>(PhantomData<fn() -> ($($param,)+)>);

        impl<$($param),+> $name<$($param),+> {
            #[inline]
            fn new() -> Self {
                Self(PhantomData)
            }
        }

        impl<$($param),+> Clone for $name<$($param),+> {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),+> Copy for $name<$($param),+> {}

        impl<$($param),+> fmt::Debug for $name<$($param),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )* };
}

kinds! {
    /// A value kept whole.
    PlainKind<Out>;
    /// An `Option`, kept whole; `None` is negative.
    OptionKind<T>;
    /// A `Result` of which `Ok` is kept, and whose error can't be copied.
    ResultKind<T, E>;
    /// A `Result` of which `Ok` is kept, and whose error can be copied.
    SharedResultKind<T, E>;
}

impl<Out> KindOf for Probe<Out> {
    type Kind = PlainKind<Out>;

    #[inline]
    fn __larder_kind(&self) -> Self::Kind {
        PlainKind::new()
    }
}

impl<T> KindOf for &Probe<Option<T>> {
    type Kind = OptionKind<T>;

    #[inline]
    fn __larder_kind(&self) -> Self::Kind {
        OptionKind::new()
    }
}

impl<T, E> KindOf for &&Probe<Result<T, E>> {
    type Kind = ResultKind<T, E>;

    #[inline]
    fn __larder_kind(&self) -> Self::Kind {
        ResultKind::new()
    }
}

impl<T, E: Value> KindOf for &&&Probe<Result<T, E>> {
    type Kind = SharedResultKind<T, E>;

    #[inline]
    fn __larder_kind(&self) -> Self::Kind {
        SharedResultKind::new()
    }
}

macro_rules! whole {
    ($kind:ty, $out:ty, [$($bound:tt)+], |$value:ident| $negative:expr) => {
        impl<$($bound)+: Value> Kind for $kind {
            type Out = $out;
            type Kept = $out;
            type Shared = $out;

            #[inline]
            fn keep(self, out: &$out) -> Option<$out> {
                Some(out.clone())
            }

            #[inline]
            fn serve(self, kept: &$out) -> $out {
                kept.clone()
            }

            fn release(self, kept: $out) -> $out {
                kept
            }

            fn share(self, out: &$out) -> Option<$out> {
                Some(out.clone())
            }

            fn open(self, shared: &$out) -> $out {
                shared.clone()
            }

            #[inline]
            fn is_negative(self, $value: &$out) -> bool {
                $negative
            }

            #[inline]
            fn keeps_negative(self, kept: &$out) -> bool {
                self.is_negative(kept)
            }

            #[inline]
            fn is_failure(self, _: &$out) -> bool {
                false
            }
        }
    };
}

impl<Out> Asked for PlainKind<Out> {
    type Of = Out;
}

impl<T> Asked for OptionKind<T> {
    type Of = T;
}

whole!(PlainKind<Out>, Out, [Out], |_value| false);
whole!(OptionKind<T>, Option<T>, [T], |value| value.is_none());

#[diagnostic::do_not_recommend]
impl<T> Fallible for OptionKind<T> {
    type Whole = Option<T>;
}

macro_rules! of_result {
    ($kind:ty, [$($error:tt)+], $shared:ty, $copies:literal, |$out:ident| $share:expr, |$copy:ident| $open:expr) => {
        impl<T: Value, $($error)+> Kind for $kind {
            type Out = Result<T, E>;
            type Kept = T;
            type Shared = $shared;
            const SHARES_FAILURES: bool = $copies;

            #[inline]
            fn keep(self, out: &Result<T, E>) -> Option<T> {
                out.as_ref().ok().cloned()
            }

            #[inline]
            fn serve(self, kept: &T) -> Result<T, E> {
                Ok(kept.clone())
            }

            fn release(self, kept: T) -> Result<T, E> {
                Ok(kept)
            }

            fn share(self, $out: &Result<T, E>) -> Option<$shared> {
                $share
            }

            fn open(self, $copy: &$shared) -> Result<T, E> {
                $open
            }

            #[inline]
            fn is_negative(self, out: &Result<T, E>) -> bool {
                out.is_err()
            }

            #[inline]
            fn keeps_negative(self, _: &T) -> bool {
                false
            }

            #[inline]
            fn is_failure(self, out: &Result<T, E>) -> bool {
                out.is_err()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<T, E> Fallible for $kind {
            type Whole = Result<T, E>;
        }

        impl<T, E> Asked for $kind {
            type Of = T;
        }
    };
}

of_result!(ResultKind<T, E>, [E: 'static], T, false, |out| out.as_ref().ok().cloned(), |copy| Ok(copy.clone()));
of_result!(SharedResultKind<T, E>, [E: Value], Result<T, E>, true, |out| Some(out.clone()), |copy| {
    copy.clone()
});

/// A kind whose negative values are kept too (`negative = ..`).
#[derive(Clone, Copy, Debug)]
pub struct Negative<K>(pub K);

impl Negative<()> {
    /// The kind whose negative values are kept too, if `kind` has any.
    #[inline]
    pub fn of<K: Fallible>(kind: K) -> Negative<K> {
        Negative(kind)
    }
}

impl<K: Fallible> Asked for Negative<K> {
    type Of = K::Whole;
}

impl<K: Fallible + Kind<Out: Value>> Kind for Negative<K> {
    type Out = K::Out;
    type Kept = K::Out;
    type Shared = K::Out;

    #[inline]
    fn keep(self, out: &K::Out) -> Option<K::Out> {
        Some(out.clone())
    }

    #[inline]
    fn serve(self, kept: &K::Out) -> K::Out {
        kept.clone()
    }

    fn release(self, kept: K::Out) -> K::Out {
        kept
    }

    fn share(self, out: &K::Out) -> Option<K::Out> {
        Some(out.clone())
    }

    fn open(self, shared: &K::Out) -> K::Out {
        shared.clone()
    }

    #[inline]
    fn is_negative(self, out: &K::Out) -> bool {
        self.0.is_negative(out)
    }

    #[inline]
    fn keeps_negative(self, kept: &K::Out) -> bool {
        self.0.is_negative(kept)
    }

    #[inline]
    fn is_failure(self, out: &K::Out) -> bool {
        self.0.is_failure(out)
    }
}
