//! One thread's copies of one function's values.
//!
//! 1. A copy is judged like the entry it was made of, by the same clock and filter, so it needs no
//!    invalidation of its own. Where those can't tell, the entry is asked.
//! 2. Only what owns nothing is copied, and what is short: whatever is dropped late is memory, of
//!    bounded size.
//! 3. A copy half made is an expired one.
//! 4. Making a copy allocates nothing; only a table that grows does, and it grows ever more seldom.

use crate::clock::Moment;
use crate::entry::{Entry, Stamp, TagSlots};
use crate::mark::Mark;
use crate::news::News;
use crate::short;
use crate::tier::memory::Probe;
use crate::versions::Versions;
use crate::view::View;
use std::num::NonZeroU64;

/// Slots of a table to begin with: a thread has one for every function that it calls.
const FEWEST_PLAIN: u64 = 64;
const FEWEST_OTHERS: u64 = 32;
/// The most slots there are, though no more than entries.
const MOST: u64 = 131_072;
const GROWTH: usize = 32;

/// A table of copies: each stands in the pair of slots that its hash names.
pub(crate) struct Copies<K, V> {
    pairs: Box<[Pair<K, V>]>,
    /// How many pairs there may come to be.
    most: usize,
    /// How many values found a full pair since the table has grown.
    crowded: usize,
    /// What the marks of the function's keys are made from.
    keys: Mark,
    /// The slot of the function.
    function: u16,
}

/// Two slots in one cache line, if they are small enough.
#[repr(align(64))]
struct Pair<K, V>([Option<Copy<K, V>>; 2]);

struct Copy<K, V> {
    key: K,
    value: V,
    /// A stamp, which is never zero: an empty slot takes no more room than a full one.
    valid_at: NonZeroU64,
    term: Term,
    tags: TagSlots,
}

/// The moment a copy expires, rounded down, and whether it was used since another wanted its slot.
#[derive(Clone, Copy)]
struct Term(u32);

impl Term {
    const PAST: Self = Self(0);
    const NEVER: u32 = Self::USED - 1;
    const USED: u32 = 1 << 31;
    /// Of some 17 milliseconds each. A year of them can be told.
    const BEAT: u32 = 24;

    fn until(moment: Moment) -> Self {
        if moment == Moment::NEVER {
            return Self(Self::NEVER);
        }
        let latest = Self::NEVER - 1;
        Self(u32::try_from(moment.nanos() >> Self::BEAT).map_or(latest, |beat| beat.min(latest)))
    }

    fn beat(self) -> u32 {
        self.0 & Self::NEVER
    }

    #[inline]
    fn is_over(self, now: impl FnOnce() -> Moment) -> bool {
        let beat = self.beat();
        beat != Self::NEVER && now().nanos() >> Self::BEAT >= u64::from(beat)
    }

    #[inline]
    fn use_it(&mut self) {
        if self.0 & Self::USED == 0 {
            self.0 |= Self::USED;
        }
    }

    /// Whether it was used since this was asked last.
    fn was_used(&mut self) -> bool {
        let was = self.0 & Self::USED != 0;
        self.0 &= !Self::USED;
        was
    }
}

impl<K: 'static, V: Clone + 'static> Copies<K, V> {
    /// Whether keys and values own nothing.
    const PLAIN: bool = !std::mem::needs_drop::<K>() && !std::mem::needs_drop::<V>();

    /// A table, at first a small one, for what views of one type find in one function.
    pub(crate) fn new<W: View<Owned = K>>(capacity: u64, keys: Mark, function: Mark) -> Self {
        let pairs = |slots: u64| usize::try_from(slots / 2).expect("bounded").next_power_of_two();
        let fewest = if Self::PLAIN { FEWEST_PLAIN } else { FEWEST_OTHERS };
        let most = pairs(capacity.clamp(fewest, MOST));
        let fewest = if Self::are_possible::<W>() { pairs(fewest) } else { 0 };
        Self { pairs: Self::table::<W>(fewest), most, crowded: 0, keys, function: function.slot() }
    }

    fn are_possible<W: View<Owned = K>>() -> bool {
        size_of::<Copy<K, V>>() <= 128
            && (Self::PLAIN || (W::room().is_some() && short::room::<V>().is_some()))
    }

    fn table<W: View<Owned = K>>(pairs: usize) -> Box<[Pair<K, V>]> {
        (0..pairs).map(|_| Pair([Self::vacant::<W>(), Self::vacant::<W>()])).collect()
    }

    /// A slot for plain values is empty; one for others has room for them.
    fn vacant<W: View<Owned = K>>() -> Option<Copy<K, V>> {
        if Self::PLAIN {
            return None;
        }
        Some(Copy {
            key: W::room()?,
            value: short::room()?,
            valid_at: NonZeroU64::MIN,
            term: Term::PAST,
            tags: TagSlots::MANY,
        })
    }

    #[inline]
    fn pair(&mut self, hash: u64) -> Option<&mut Pair<K, V>> {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let bits = hash as usize;
        let at = bits & self.pairs.len().wrapping_sub(1);
        self.pairs.get_mut(at)
    }

    #[inline]
    fn first(hash: u64) -> usize {
        (hash >> 32 & 1) as usize
    }

    /// A copy that may be served, by news just heard.
    #[inline]
    pub(crate) fn find<W: View<Owned = K>>(
        &mut self,
        probe: Probe<'_, W>,
        news: &News,
        versions: &Versions,
        now: impl FnOnce() -> Moment,
    ) -> Option<&V> {
        let (keys, function) = (self.keys, self.function);
        let Pair(pair) = self.pair(probe.hash)?;
        let first = Self::first(probe.hash);
        let at = if Copy::is_in(pair[first].as_ref(), probe) {
            first
        } else {
            Copy::seek(pair, first, probe)?
        };
        let copy = pair[at].as_mut()?;
        let key = || keys.key_slot(probe.hash);
        if !copy.is_valid(key, function, news, versions) || copy.term.is_over(now) {
            return None;
        }
        copy.term.use_it();
        Some(&copy.value)
    }

    /// Makes a copy of an entry, if there is a slot for it.
    #[inline]
    pub(crate) fn make<W: View<Owned = K>>(&mut self, probe: Probe<'_, W>, entry: &Entry<V>) {
        let is_small = Self::PLAIN || probe.view.is_short() && short::is_short(&entry.value);
        // A copy has no place for files to look at.
        let is_fit = is_small && entry.files().is_none();
        let Some(Pair(pair)) = self.pair(probe.hash).filter(|_| is_fit) else { return };
        let is_free = |slot: &Option<Copy<K, V>>| match slot {
            None => true,
            Some(copy) => copy.term.beat() == 0 || probe.view.matches(&copy.key),
        };
        let first = Self::first(probe.hash);
        if let Some(free) = [first, first ^ 1].into_iter().find(|at| is_free(&pair[*at])) {
            Copy::fill(&mut pair[free], probe, entry);
            return;
        }
        if let Some(idle) = [first, first ^ 1].into_iter().find(|at| Copy::is_idle(&mut pair[*at]))
        {
            Copy::fill(&mut pair[idle], probe, entry);
        }
        self.crowded += 1;
        if self.crowded > self.pairs.len() && self.pairs.len() < self.most {
            // What it held is copied again as it is asked for.
            self.pairs = Self::table::<W>((GROWTH * self.pairs.len()).min(self.most));
            self.crowded = 0;
        }
    }
}

impl<K, V> Copy<K, V> {
    #[inline]
    fn is_in<W: View<Owned = K>>(slot: Option<&Self>, probe: Probe<'_, W>) -> bool {
        slot.is_some_and(|copy| probe.view.matches(&copy.key))
    }

    /// Finds a copy that is not in the first of its slots, and moves it there if it is used more
    /// than what is.
    #[inline(never)]
    fn seek<W: View<Owned = K>>(
        pair: &mut [Option<Self>; 2],
        first: usize,
        probe: Probe<'_, W>,
    ) -> Option<usize> {
        if !Self::is_in(pair[first ^ 1].as_ref(), probe) {
            return None;
        }
        if !Self::is_idle(&mut pair[first]) {
            return Some(first ^ 1);
        }
        pair.swap(0, 1);
        Some(first)
    }

    /// Whether nothing was found in a slot since this was asked last.
    fn is_idle(slot: &mut Option<Self>) -> bool {
        !slot.as_mut().is_some_and(|copy| copy.term.was_used())
    }

    #[inline]
    fn is_valid(
        &mut self,
        key: impl FnOnce() -> u16,
        function: u16,
        news: &News,
        versions: &Versions,
    ) -> bool {
        let since = Stamp(self.valid_at.get());
        if news.is_none_since(since) {
            return true;
        }
        let Some(tags) = self.tags.few() else { return false };
        let key = key();
        news.vouch(key, tags, since) || self.is_valid_by_filter([key, function], tags, versions)
    }

    #[inline(never)]
    fn is_valid_by_filter(
        &mut self,
        [key, function]: [u16; 2],
        [a, b]: [u16; 2],
        versions: &Versions,
    ) -> bool {
        let since = Stamp(self.valid_at.get());
        let checked = versions.check_slots([key, function, a, b], since);
        match checked.and_then(|clock| NonZeroU64::new(clock.0)) {
            Some(clock) => {
                self.valid_at = clock;
                true
            }
            None => false,
        }
    }

    fn fill<W: View<Owned = K>>(slot: &mut Option<Self>, probe: Probe<'_, W>, entry: &Entry<V>)
    where
        V: Clone,
    {
        let Some(valid_at) = NonZeroU64::new(entry.valid_at().0) else { return };
        let (term, tags) = (Term::until(entry.due), entry.slots.tags());
        if let Some(copy) = slot {
            copy.term = Term::PAST;
            probe.view.own_into(&mut copy.key);
            copy.value.clone_from(&entry.value);
            (copy.valid_at, copy.tags) = (valid_at, tags);
            copy.term = term;
        } else {
            let (key, value) = (probe.view.own(), entry.value.clone());
            *slot = Some(Self { key, value, valid_at, term, tags });
        }
    }
}
