//! The ambient context: what the program says about the one on whose behalf a call is made.

use crate::ambience::{Ambient, Erased};
use crate::context::{self, Changed, Surroundings};
use crate::frame::Keyed;
use crate::key::Part;
use std::any::TypeId;
use std::future::Future;
use std::hash::Hasher;
use std::sync::Arc;

pub use crate::ambience::AmbientValue;

/// Runs `f` with `value` in the ambient context, in place of any value of the same type.
///
/// Functions with `#[cached(context)]` have it in their key.
///
/// ```
/// # use cache_runtime as larder;
/// #[derive(PartialEq, Eq, Hash)]
/// struct Tenant(u64);
///
/// let answer = larder::ambient::with(Tenant(7), || 42);
/// # assert_eq!(answer, 42);
/// ```
pub fn with<T: AmbientValue, R>(value: T, f: impl FnOnce() -> R) -> R {
    let value: Arc<dyn Erased> = Arc::new(value);
    context::with(|surroundings| put(surroundings, TypeId::of::<T>(), &value), f)
}

/// Returns a future that runs `future` with `value` in the ambient context.
///
/// # Cancellation
///
/// As safe to drop as `future` itself.
pub fn scope<T: AmbientValue, F: Future>(
    value: T,
    future: F,
) -> impl Future<Output = F::Output> + use<T, F> {
    let value: Arc<dyn Erased> = Arc::new(value);
    Changed::new(future, move |surroundings: &mut Surroundings| {
        put(surroundings, TypeId::of::<T>(), &value);
    })
}

/// Returns the value of a type that is in the ambient context now.
///
/// Inside a cached function, its value then needs the ambient context: unless the function says
/// `context`, what it returns is not stored.
///
/// ```
/// # use cache_runtime as larder;
/// #[derive(PartialEq, Eq, Hash)]
/// struct Tenant(u64);
///
/// let tenant = larder::ambient::with(Tenant(7), larder::ambient::get::<Tenant>);
/// assert!(tenant.is_some_and(|tenant| tenant.0 == 7));
/// ```
pub fn get<T: AmbientValue>() -> Option<Arc<T>> {
    let surroundings = context::current()?;
    if let Some(frame) = &surroundings.frame {
        frame.need(Keyed::CONTEXT);
    }
    surroundings.ambient.as_ref()?.get(TypeId::of::<T>())?.downcast().ok()
}

fn put(surroundings: &mut Surroundings, kind: TypeId, value: &Arc<dyn Erased>) {
    let ambient = Ambient::with(surroundings.ambient.as_ref(), kind, Arc::clone(value));
    surroundings.ambient = Some(ambient);
}

/// The ambient context as a part of a key.
pub struct AmbientPart(Option<Ambient>);

impl AmbientPart {
    /// The ambient context of the calling code.
    pub fn current() -> Self {
        Self(context::current().and_then(|surroundings| surroundings.ambient.clone()))
    }
}

impl Part for AmbientPart {
    type Owned = Option<Ambient>;

    fn hash_into<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.as_ref().map_or(0, Ambient::hash64));
    }

    fn matches(&self, owned: &Option<Ambient>) -> bool {
        self.0 == *owned
    }

    fn own(&self) -> Option<Ambient> {
        self.0.clone()
    }
}

#[cfg(feature = "beyond")]
impl crate::stored::StoredPart for AmbientPart {
    /// Values of the ambient context are told apart by `Eq` alone, which says nothing in another
    /// process.
    fn encode(&self, _: &mut Vec<u8>) -> Result<(), crate::codec::canonical::Unencodable> {
        match &self.0 {
            None => Ok(()),
            Some(_) => Err(crate::codec::canonical::Unencodable::Refused(
                "the ambient context can't leave the process".to_owned(),
            )),
        }
    }
}
