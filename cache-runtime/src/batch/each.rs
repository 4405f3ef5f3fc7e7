//! What an element of a batch means to the cache: a value, or that there is none.

use crate::outcome::{Asked, Fallible, Kind, Value};

/// The kind of an element, given that of its value. `None` says that the body returned nothing for it.
#[derive(Clone, Copy, Debug)]
pub struct Each<K>(pub K);

impl<K: Asked> Asked for Each<K> {
    type Of = K::Of;
}

impl<K: Kind> Fallible for Each<K> {
    type Whole = Option<K::Out>;
}

impl<K: Kind> Kind for Each<K>
where
    Option<K::Shared>: Value,
{
    type Out = Option<K::Out>;
    type Kept = K::Kept;
    type Shared = Option<K::Shared>;
    const SHARES_FAILURES: bool = K::SHARES_FAILURES;

    #[inline]
    fn keep(self, out: &Self::Out) -> Option<K::Kept> {
        self.0.keep(out.as_ref()?)
    }

    #[inline]
    fn serve(self, kept: &K::Kept) -> Self::Out {
        Some(self.0.serve(kept))
    }

    fn release(self, kept: K::Kept) -> Self::Out {
        Some(self.0.release(kept))
    }

    fn share(self, out: &Self::Out) -> Option<Self::Shared> {
        match out {
            Some(out) => self.0.share(out).map(Some),
            None => Some(None),
        }
    }

    fn open(self, shared: &Self::Shared) -> Self::Out {
        shared.as_ref().map(|shared| self.0.open(shared))
    }

    #[inline]
    fn is_negative(self, out: &Self::Out) -> bool {
        out.as_ref().is_none_or(|out| self.0.is_negative(out))
    }

    #[inline]
    fn keeps_negative(self, kept: &K::Kept) -> bool {
        self.0.keeps_negative(kept)
    }

    #[inline]
    fn is_failure(self, out: &Self::Out) -> bool {
        out.as_ref().is_some_and(|out| self.0.is_failure(out))
    }
}
