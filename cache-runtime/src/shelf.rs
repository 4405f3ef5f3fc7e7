//! Where the L1 of each function instantiation is kept: one shelf in every runtime, and one in
//! every scope.

use crate::hash::HashMap;
use crate::sync::RwLock;
use crate::tier::memory::AnyMemory;
use std::any::{Any, TypeId};
use std::sync::Arc;

/// Which L1: the runtime, the site, and the type that tells instantiations apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) runtime: u64,
    pub(crate) site: usize,
    pub(crate) instance: TypeId,
}

/// What is kept for one instantiation of one function.
pub(crate) trait Kept: Any + Send + Sync {
    fn memory(&self) -> Arc<dyn AnyMemory>;

    /// As `Any`, for those who know the type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

#[derive(Default)]
pub(crate) struct Shelf {
    places: RwLock<HashMap<Place, Arc<dyn Kept>>>,
}

impl Shelf {
    /// What is kept at a place, made if nothing is. `None` if it is of another type, which two
    /// instantiations of one type cannot be.
    pub(crate) fn get_or_insert<T: Kept>(
        &self,
        place: Place,
        make: impl FnOnce() -> Arc<T>,
    ) -> Option<Arc<T>> {
        let known = self.places.read().get(&place).cloned();
        let kept = match known {
            Some(kept) => kept,
            None => Arc::clone(self.places.write().entry(place).or_insert_with(|| make())),
        };
        kept.into_any().downcast().ok()
    }

    /// All instantiations of one function.
    pub(crate) fn of_site(&self, site: usize) -> Vec<Arc<dyn Kept>> {
        let places = self.places.read();
        places
            .iter()
            .filter(|(place, _)| place.site == site)
            .map(|(_, it)| Arc::clone(it))
            .collect()
    }

    pub(crate) fn memories(&self) -> Vec<Arc<dyn AnyMemory>> {
        self.places.read().values().map(|kept| kept.memory()).collect()
    }
}
