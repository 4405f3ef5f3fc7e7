//! The ambient context: what the program says about the one on whose behalf a call is made.

use crate::context::{self, Changed, Surroundings};
use crate::frame::Keyed;
use crate::key::Part;
use crate::mark::SEEDS;
use std::any::{Any, TypeId};
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A value that can be put into the ambient context.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be put into the ambient context",
    label = "needs `Hash + Eq + Send + Sync + 'static`"
)]
pub trait AmbientValue: Hash + Eq + Send + Sync + 'static {}

impl<T: Hash + Eq + Send + Sync + 'static> AmbientValue for T {}

/// A value of the ambient context, of whatever type.
trait Erased: Any + Send + Sync {
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
    fn with(base: Option<&Self>, kind: TypeId, value: Arc<dyn Erased>) -> Self {
        let others = base.map_or(&[][..], |ambient| &ambient.values);
        let mut values: Vec<_> = others.iter().filter(|(it, _)| *it != kind).cloned().collect();
        values.push((kind, value));
        values.sort_unstable_by_key(|(kind, _)| *kind);
        let hashes: Vec<_> = values.iter().map(|(kind, it)| (*kind, it.hash64())).collect();
        Self { values: values.into(), hash: SEEDS[0].hash_one(hashes) }
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
    let values = &surroundings.ambient.as_ref()?.values;
    let (_, value) = values.iter().find(|(kind, _)| *kind == TypeId::of::<T>())?;
    let value: Arc<dyn Any + Send + Sync> = Arc::clone(value) as _;
    value.downcast().ok()
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
