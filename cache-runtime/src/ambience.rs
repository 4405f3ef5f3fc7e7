//! The ambient context as a value: one value of each type, compared as a whole.

use crate::mark::SEEDS;
use std::any::{Any, TypeId};
use std::hash::Hash;
use std::sync::Arc;

/// A value that can be put into the ambient context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be put into the ambient context",
    label = "needs `Hash + Eq + Send + Sync + 'static`",
    note = "it becomes a part of keys: derive `PartialEq`, `Eq` and `Hash` for a type of your own"
)]
pub trait AmbientValue: Hash + Eq + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Hash + Eq + Send + Sync + 'static> AmbientValue for T {}

/// A value of the ambient context, of whatever type.
pub(crate) trait Erased: Any + Send + Sync {
    fn equals(&self, other: &dyn Erased) -> bool;
    fn hash64(&self) -> u64;
}

impl<T: AmbientValue> Erased for T {
    fn equals(&self, other: &dyn Erased) -> bool {
        (other as &dyn Any).downcast_ref::<T>() == Some(self)
    }

    fn hash64(&self) -> u64 {
        SEEDS[0].hash_one(self)
    }
}

/// Everything that is ambient now: one value of each type at the most.
#[derive(Clone)]
pub struct Ambient {
    /// In the order of their types.
    values: Arc<[(TypeId, Arc<dyn Erased>)]>,
    hash: u64,
}

impl Ambient {
    pub(crate) fn with(base: Option<&Self>, kind: TypeId, value: Arc<dyn Erased>) -> Self {
        let others = base.map_or(&[][..], |ambient| &ambient.values);
        let mut values: Vec<_> = others.iter().filter(|(it, _)| *it != kind).cloned().collect();
        values.push((kind, value));
        values.sort_unstable_by_key(|(kind, _)| *kind);
        let hashes: Vec<_> = values.iter().map(|(kind, it)| (*kind, it.hash64())).collect();
        Self { values: values.into(), hash: SEEDS[0].hash_one(hashes) }
    }

    /// The value of one type.
    pub(crate) fn get(&self, kind: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        let (_, value) = self.values.iter().find(|(it, _)| *it == kind)?;
        Some(Arc::clone(value) as _)
    }

    #[inline]
    pub(crate) fn hash64(&self) -> u64 {
        self.hash
    }
}

impl PartialEq for Ambient {
    fn eq(&self, other: &Self) -> bool {
        let pairwise = || {
            self.values
                .iter()
                .zip(other.values.iter())
                .all(|((kind, value), (other, it))| kind == other && value.equals(&**it))
        };
        self.hash == other.hash
            && (Arc::ptr_eq(&self.values, &other.values)
                || (self.values.len() == other.values.len() && pairwise()))
    }
}

impl Eq for Ambient {}
