//! Values in bytes: which types have any, and by which codec.

use crate::codec::Format;
use crate::key::{Never, No, Yes};
use crate::outcome::{Asked, Kind};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type whose values can be kept beyond memory, asked of the kind `K`. `Answer` is as in
/// `KeyPart`.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` can't be kept beyond `l1`",
    label = "needs `serde::Serialize + serde::de::DeserializeOwned`",
    note = "derive `serde::Serialize` and `serde::Deserialize`, or keep to `tier = \"l1\"`"
)]
pub trait Storable<K, Answer> {
    /// The form in bytes, for a type whose values have one.
    type Format;

    #[doc(hidden)]
    fn bincode(kind: K) -> Self::Format;
    #[doc(hidden)]
    #[cfg(feature = "postcard")]
    fn postcard(kind: K) -> Self::Format;
}

#[diagnostic::do_not_recommend]
impl<T, K> Storable<K, Yes> for T
where
    T: Serialize + DeserializeOwned,
    K: Kind<Kept: Serialize + DeserializeOwned>,
{
    type Format = Format<K::Kept>;

    #[inline]
    fn bincode(_: K) -> Format<K::Kept> {
        Format::bincode()
    }

    #[cfg(feature = "postcard")]
    #[inline]
    fn postcard(_: K) -> Format<K::Kept> {
        Format::postcard()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Never, K: Kind> Storable<K, No> for T {
    type Format = Format<K::Kept>;

    fn bincode(_: K) -> Format<K::Kept> {
        unreachable!("there is no such type")
    }

    #[cfg(feature = "postcard")]
    fn postcard(_: K) -> Format<K::Kept> {
        unreachable!("there is no such type")
    }
}

/// Asks for the form in bytes of what a kind keeps.
#[derive(Clone, Copy, Debug)]
pub struct FormatOf;

impl FormatOf {
    /// By `bincode`.
    #[inline]
    pub fn bincode<K: Asked, Answer>(kind: K) -> <K::Of as Storable<K, Answer>>::Format
    where
        K::Of: Storable<K, Answer>,
    {
        <K::Of as Storable<K, Answer>>::bincode(kind)
    }

    /// By `postcard`.
    #[cfg(feature = "postcard")]
    #[inline]
    pub fn postcard<K: Asked, Answer>(kind: K) -> <K::Of as Storable<K, Answer>>::Format
    where
        K::Of: Storable<K, Answer>,
    {
        <K::Of as Storable<K, Answer>>::postcard(kind)
    }
}
