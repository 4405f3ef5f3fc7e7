//! What is stored: a value, what it depends on, and how long it is fresh.

use crate::clock::Moment;
use crate::mark::Mark;
use crate::sync::{AtomicU64, Ordering};
use smallvec::SmallVec;
use std::sync::Arc;
use std::time::Duration;

/// A reading of the logical clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) u64);

/// The marks an entry is known by before its computation starts: its key, its function, its tags.
pub(crate) type Marks = SmallVec<[Mark; 4]>;

/// The most names one value may depend on, those of its callees included.
pub(crate) const MOST_DEPENDENCIES: usize = 4_096;

/// Everything whose invalidation makes a value invalid (V7).
///
/// What callees depend on is shared by reference, never copied, and flat: each appears once, however
/// many ways lead to it.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    pub(crate) marks: Marks,
    /// The readable key, for patterns.
    pub(crate) readable: Option<Box<str>>,
    /// Of all callees, theirs included; only their own names count, not what they inherited.
    pub(crate) inherited: Vec<Arc<Dependencies>>,
    /// More than can be kept track of: never known to be valid.
    pub(crate) unbounded: bool,
}

impl Dependencies {
    /// Whether `test` holds for these or any inherited.
    pub(crate) fn any(&self, test: &mut impl FnMut(&Self) -> bool) -> bool {
        test(self) || self.inherited.iter().any(|inherited| test(inherited))
    }
}

/// How long a value is fresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    pub(crate) born: Moment,
    pub(crate) expires: Moment,
}

impl Lifetime {
    /// How long it is still fresh; `None` if it does not end by itself.
    pub(crate) fn left(self, now: Moment) -> Option<Duration> {
        (self.expires != Moment::NEVER).then(|| self.expires.since(now))
    }
}

/// A value in L1.
///
/// 1. `valid_at` is a clock reading at which nothing in `dependencies` had been recorded since the
///    computation began. It may lag; it is never ahead of what was checked.
/// 2. `expires` is never later than that of anything the value was computed from.
#[derive(Debug)]
pub(crate) struct Entry<V> {
    pub(crate) value: V,
    valid_at: AtomicU64,
    pub(crate) lifetime: Lifetime,
    pub(crate) weight: u64,
    pub(crate) dependencies: Arc<Dependencies>,
}

impl<V> Entry<V> {
    pub(crate) fn new(
        value: V,
        stamp: Stamp,
        lifetime: Lifetime,
        weight: u64,
        dependencies: Arc<Dependencies>,
    ) -> Self {
        Self { value, valid_at: AtomicU64::new(stamp.0), lifetime, weight, dependencies }
    }

    #[inline]
    pub(crate) fn valid_at(&self) -> Stamp {
        // Relaxed: the number stands for itself; what it vouches for was checked by whoever stored
        // it, and a reader that sees an older one only checks again.
        Stamp(self.valid_at.load(Ordering::Relaxed))
    }

    /// Remembers that nothing was recorded up to `stamp`. Two threads may do so at once; the older
    /// reading may win, which costs a check and nothing else.
    pub(crate) fn remember(&self, stamp: Stamp) {
        self.valid_at.store(stamp.0, Ordering::Relaxed);
    }
}
