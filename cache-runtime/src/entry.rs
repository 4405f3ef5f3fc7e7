//! What is stored: a value, what it depends on, and how long it is fresh.

use crate::attempts::Attempts;
use crate::captured::Captured;
use crate::clock::Moment;
use crate::files::Files;
use crate::mark::Mark;
use crate::renewal::Renewal;
use crate::sync::{AtomicU64, Ordering};
use smallvec::SmallVec;
use std::sync::Arc;

/// A reading of the logical clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) u64);

/// The marks an entry is known by before its computation starts: its key, its function, its tags.
pub(crate) type Marks = SmallVec<[Mark; 4]>;

/// The most names one value may depend on, those of its callees included.
pub(crate) const MOST_DEPENDENCIES: usize = 4_096;

/// What is known of a value beside it. First of all, everything whose invalidation makes it invalid
/// (V7).
///
/// What callees depend on is shared by reference, never copied, and flat: each appears once, however
/// many ways lead to it.
#[derive(Clone, Debug)]
pub(crate) struct About {
    pub(crate) marks: Marks,
    /// What stands for the first two marks beyond this process, where they mean nothing.
    pub(crate) stand_in: Option<Arc<[Mark; 2]>>,
    /// The reading of this process's clock that the computation began with.
    pub(crate) since: Stamp,
    /// Which computation of this process it is from, in the order in which they began; 0 of one elsewhere.
    pub(crate) began: u64,
    /// The readable key, for patterns.
    pub(crate) readable: Option<Box<str>>,
    /// What it is valid under in the tier that machines share, if it was computed for that.
    pub(crate) captured: Option<Arc<Captured>>,
    /// The files it depends on, those of its callees included.
    pub(crate) files: Option<Arc<Files>>,
    /// Of all callees, theirs included; only their own names count, not what they inherited.
    pub(crate) inherited: Vec<Arc<About>>,
    /// It depends on more than can be kept track of: never known to be valid.
    pub(crate) unbounded: bool,
    pub(crate) born: Moment,
    pub(crate) weight: u64,
    /// To compute it anew.
    pub(crate) attempts: Attempts,
    /// When that is to be seen to before its time is over.
    pub(crate) renewal: Renewal,
}

impl About {
    /// What a value depends on that was computed without the cache.
    pub(crate) fn of_bypassed(marks: Marks, readable: Option<Box<str>>, born: Moment) -> Self {
        // What stands in for it, if anything does, is among the marks.
        let (stand_in, since) = (None, Stamp(u64::MAX));
        let (captured, files, inherited) = (None, None, Vec::new());
        let (unbounded, weight, began) = (false, 1, 0);
        Self {
            marks,
            stand_in,
            since,
            began,
            readable,
            captured,
            files,
            inherited,
            unbounded,
            born,
            weight,
            attempts: Attempts::default(),
            renewal: Renewal::default(),
        }
    }

    /// Whether the files it depends on look as they did.
    pub(crate) fn files_hold(&self) -> bool {
        self.files.as_ref().is_none_or(|files| files.still_hold())
    }

    /// Whether `test` holds for this or anything inherited.
    pub(crate) fn any(&self, test: &mut impl FnMut(&Self) -> bool) -> bool {
        test(self) || self.inherited.iter().any(|inherited| test(inherited))
    }
}

/// The slots of the names a value depends on, if they are few; else it says that they are not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slots([u16; 4]);

impl Slots {
    /// Depends on more than fits here.
    const MANY: Self = Self([u16::MAX; 4]);

    pub(crate) fn of(about: &About) -> Self {
        let few = about.inherited.is_empty() && !about.unbounded && about.marks.len() <= 4;
        // Whoever depends on files is asked for them where the names are looked up.
        let few = few && about.files.is_none();
        let Some(first) = about.marks.first().filter(|_| few) else { return Self::MANY };
        // The rest repeats the first, so that all four can be looked at unasked.
        let mut slots = [first.slot(); 4];
        slots.iter_mut().zip(&about.marks).for_each(|(place, mark)| *place = mark.slot());
        Self(slots)
    }

    /// The slots, unless the value depends on more.
    #[inline]
    pub(crate) fn few(self) -> Option<[u16; 4]> {
        (self.0[0] != u16::MAX).then_some(self.0)
    }

    /// Those of the tags alone: the slots of key and function are known to whoever knows the call.
    #[inline]
    pub(crate) fn tags(self) -> TagSlots {
        let [.., a, b] = self.0;
        TagSlots([a, b])
    }
}

/// The slots of a value's tags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TagSlots([u16; 2]);

impl TagSlots {
    pub(crate) const MANY: Self = Self([u16::MAX; 2]);

    /// The slots, unless the value depends on more.
    #[inline]
    pub(crate) fn few(self) -> Option<[u16; 2]> {
        (self.0[0] != u16::MAX).then_some(self.0)
    }
}

/// A value in L1. Kept small: a look-up reads all of it but what is behind `about`.
///
/// 1. `valid_at` is a clock reading at which nothing the value depends on had been recorded since
///    the computation began. It may lag; it is never ahead of what was checked.
/// 2. `expires` is never later than that of anything the value was computed from.
/// 3. `due` is never later than `expires`: until then a look-up has nothing to see to.
#[derive(Debug)]
pub(crate) struct Entry<V> {
    pub(crate) value: V,
    valid_at: AtomicU64,
    pub(crate) due: Moment,
    pub(crate) expires: Moment,
    pub(crate) slots: Slots,
    pub(crate) about: Arc<About>,
}

impl<V> Entry<V> {
    pub(crate) fn new(
        value: V,
        stamp: Stamp,
        expires: Moment,
        slots: Slots,
        about: Arc<About>,
    ) -> Self {
        let due = about.renewal.from.min(expires);
        Self { value, valid_at: AtomicU64::new(stamp.0), due, expires, slots, about }
    }

    /// The files it depends on. What has only a few names has none, and is not looked at further.
    #[inline]
    pub(crate) fn files(&self) -> Option<&Arc<Files>> {
        if self.slots.few().is_some() { None } else { self.about.files.as_ref() }
    }

    #[inline]
    pub(crate) fn valid_at(&self) -> Stamp {
        // Relaxed: the number stands for itself; what it vouches for was checked by whoever stored
        // it, and a reader that sees an older one only checks again.
        Stamp(self.valid_at.load(Ordering::Relaxed))
    }

    /// Remembers that nothing was recorded up to `stamp`. It never goes back: a sweep may have raised
    /// the floor to what it remembered.
    pub(crate) fn remember(&self, stamp: Stamp) {
        self.valid_at.fetch_max(stamp.0, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::{About, Entry, Marks, Slots, Stamp};
    use crate::clock::Moment;
    use std::sync::Arc;

    #[test]
    fn what_an_entry_remembers_never_goes_back() {
        let about = Arc::new(About::of_bypassed(Marks::new(), None, Moment::NEVER));
        let entry = Entry::new((), Stamp(1), Moment::NEVER, Slots::MANY, about);
        entry.remember(Stamp(7));
        entry.remember(Stamp(5));
        assert_eq!(entry.valid_at(), Stamp(7));
    }
}
