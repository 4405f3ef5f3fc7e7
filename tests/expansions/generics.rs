//! Generic functions.

use larder::cached;
use std::fmt::Debug;
use std::hash::Hash;

/// By reference.
#[cached]
#[must_use]
pub fn printed<T: Debug + Clone + Hash + Eq + Send + Sync + 'static>(value: &T) -> String {
    format!("{value:?}")
}

/// With constants and types in any order.
#[cached]
#[must_use]
pub fn array<const N: usize, T, const M: usize>(values: [[T; N]; M]) -> usize
where
    T: Clone + Hash + Eq + Send + Sync + 'static,
{
    drop(values);
    N + M
}

/// What is read from.
pub trait Reads {
    /// What is read.
    type Out: Clone + Send + Sync + 'static;

    /// Reads.
    fn read(&self, id: u64) -> Self::Out;
}

/// With a type that only another knows.
#[cached(skip(db))]
pub fn projected<D: Reads>(db: &D, id: u64) -> D::Out {
    db.read(id)
}

/// With a type that is not named.
#[cached(key(name.as_ref()))]
#[must_use]
pub fn unnamed(name: &impl AsRef<str>, log: &dyn Fn(&str)) -> usize {
    log(name.as_ref());
    name.as_ref().len()
}

/// Reads for others.
#[derive(Clone, Copy, Debug)]
pub struct Repository<D> {
    db: D,
}

impl<D: Reads> Repository<D> {
    /// Makes one.
    pub const fn new(db: D) -> Self {
        Self { db }
    }

    /// With type parameters of two kinds.
    #[cached(key(id, kind), skip(self), handle = get_entry)]
    pub fn get<K: Clone + Hash + Eq + Send + Sync + 'static>(&self, id: u64, kind: K) -> D::Out {
        drop(kind);
        self.db.read(id)
    }
}
