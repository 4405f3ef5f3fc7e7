//! The logical clock and the records of what was invalidated when (V1, V2, V3).
//!
//! Definitions. A *stamp* is a reading of the clock. A *record* is a name and the reading at which
//! it was last invalidated. A value is valid if nothing it depends on has a record later than the
//! stamp its computation began with.
//!
//! 1. One invalidator at a time, and its records are visible before the clock moves past them.
//! 2. Who remembers "valid at clock c" read c before looking at the records.
//! 3. A record is dropped only when no entry and no computation is older than it; the floor then
//!    rises to it, and a stamp below the floor is not valid.
//! 4. The filter never shows less than the records do.

use crate::entry::{About, Marks, Slots, Stamp};
use crate::mark::{Mark, MarkHasher};
use crate::pattern::Pattern;
use crate::planted::{self, Bug};
use crate::sync::{AtomicU64, Mutex, Ordering, RwLock};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

#[cfg(not(larder_model))]
const FILTER: usize = 16_384;
#[cfg(larder_model)]
const FILTER: usize = 2;

/// How many of the latest invalidations can be told in filter slots.
const RECENT: u64 = 1_024;

/// Records kept before a sweep is due, and the most that are kept however old a computation is.
#[cfg(not(larder_model))]
const SWEEP_AT: usize = 65_536;
#[cfg(larder_model)]
const SWEEP_AT: usize = 2;
const MOST_RECORDS: usize = 16 * SWEEP_AT;
/// Predicates are looked at one by one, so fewer of them are let stand.
const SWEEP_PREDICATES_AT: usize = 1_024;

/// The place in the filter for a slot.
#[inline]
fn filtered_at(slot: u16) -> usize {
    usize::from(slot) % FILTER
}

/// What an invalidation names.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Everything that carries any of these marks.
    Any(Vec<Mark>),
    /// Everything that carries all of these marks.
    All(Vec<Mark>),
    /// Everything whose readable key matches.
    Matching(Pattern),
    Everything,
}

/// Keeps what every reader loads away from what others write.
#[derive(Debug)]
#[repr(align(128))]
struct Padded<T>(T);

#[derive(Debug)]
pub(crate) struct Versions {
    clock: Padded<AtomicU64>,
    /// When the last record that is not a mark was made.
    predicate: AtomicU64,
    /// For each slot, when the last mark that falls into it was recorded.
    filter: Box<[AtomicU64]>,
    /// For each of the latest readings, the filter slots of what was recorded then.
    recent: Box<[AtomicU64]>,
    records: RwLock<Records>,
    invalidator: Mutex<()>,
    sweeper: Mutex<()>,
}

#[derive(Debug)]
struct Records {
    marks: HashMap<Mark, Stamp, BuildHasherDefault<MarkHasher>>,
    /// In the order of their stamps.
    predicates: Vec<(Stamp, Predicate)>,
    everything: Stamp,
    floor: Stamp,
    /// How many marks and predicates make the next sweep due.
    sweep_at: (usize, usize),
}

#[derive(Debug)]
enum Predicate {
    All(Vec<Mark>),
    Matching(Pattern),
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            clock: Padded(AtomicU64::new(1)),
            predicate: AtomicU64::new(0),
            filter: (0..FILTER).map(|_| AtomicU64::new(0)).collect(),
            recent: (0..RECENT).map(|_| AtomicU64::new(0)).collect(),
            records: RwLock::new(Records {
                marks: HashMap::default(),
                predicates: Vec::new(),
                everything: Stamp(0),
                floor: Stamp(0),
                sweep_at: (SWEEP_AT, SWEEP_PREDICATES_AT),
            }),
            invalidator: Mutex::new(()),
            sweeper: Mutex::new(()),
        }
    }
}

impl Versions {
    /// Reads the clock. To be called before the first tier is read.
    #[inline]
    pub(crate) fn now(&self) -> Stamp {
        // Acquire: meets the Release in `publish`; whoever reads c sees every record up to c.
        Stamp(self.clock.0.load(Ordering::Acquire))
    }

    /// Records an invalidation. Once it returns, nothing that depends on the target and began
    /// before is found valid.
    ///
    /// `participants` is called when a sweep is due: it must look at every entry and remember the
    /// clock in the valid ones, and return the oldest stamp of a computation in flight. Without it
    /// the sweep is left to the next invalidation.
    pub(crate) fn record(
        &self,
        target: &Target,
        participants: Option<impl FnOnce() -> Option<Stamp>>,
    ) {
        let alone = (!planted::is(Bug::TwoInvalidatorsAtOnce)).then(|| self.invalidator.lock());
        let next = Stamp(self.clock.0.load(Ordering::Relaxed) + 1);
        let sweep_due = if planted::is(Bug::ClockBeforeRecord) {
            self.publish(next);
            self.write(target, next)
        } else {
            let sweep_due = self.write(target, next);
            self.publish(next);
            sweep_due
        };
        // Who sweeps waits for locks under which others may want to invalidate.
        drop(alone);
        if let (true, Some(participants)) = (sweep_due, participants)
            // While one sweeps, perhaps on this very thread, nobody else needs to.
            && let Some(_alone) = self.sweeper.try_lock()
        {
            self.sweep(next, participants);
        }
    }

    /// Makes whoever remembers something of a name without asking ask again. Nothing is invalidated.
    pub(crate) fn displace(&self, mark: Mark) {
        let _alone = self.invalidator.lock();
        let next = Stamp(self.clock.0.load(Ordering::Relaxed) + 1);
        self.filter[filtered_at(mark.slot())].store(next.0, Ordering::Relaxed);
        self.announce(next, Some(&[mark]));
        self.publish(next);
    }

    /// Leaves word of what is recorded at a reading; nothing, if it is not only marks.
    fn announce(&self, next: Stamp, marks: Option<&[Mark]>) {
        let told = marks.and_then(Announced::of).unwrap_or(Announced::UNTOLD);
        // Release: who meets an announcement in the place of an older one also sees the clock that
        // was published before it, and so that the older one is gone.
        self.recent[Self::recent_at(next.0)].store(told.0, Ordering::Release);
    }

    fn recent_at(reading: u64) -> usize {
        usize::try_from(reading % RECENT).expect("a place in the table")
    }

    /// Tells the filter slots of all that was recorded after `since` and up to `now`. False if that
    /// can't be told.
    pub(crate) fn tell(&self, since: Stamp, now: Stamp, mut each: impl FnMut(u16)) -> bool {
        if now.0.saturating_sub(since.0) >= RECENT {
            return false;
        }
        for reading in since.0 + 1..=now.0 {
            // Acquire: meets the Release in `announce`.
            let told = self.recent[Self::recent_at(reading)].load(Ordering::Acquire);
            let Some(slots) = Announced(told).slots() else { return false };
            slots.for_each(&mut each);
        }
        // The next announcement to come is written before the clock says so.
        self.now().0.saturating_sub(since.0) + 1 < RECENT
    }

    fn publish(&self, next: Stamp) {
        // Release: meets the Acquire in `now`; the records up to `next` come first.
        self.clock.0.store(next.0, Ordering::Release);
    }

    /// Writes the records of one invalidation, and says whether a sweep is due.
    fn write(&self, target: &Target, next: Stamp) -> bool {
        let mut records = self.records.write();
        match target {
            Target::Any(marks) => {
                for mark in marks {
                    self.filter[filtered_at(mark.slot())].store(next.0, Ordering::Relaxed);
                    records.marks.insert(*mark, next);
                }
            }
            Target::All(marks) => records.predicates.push((next, Predicate::All(marks.clone()))),
            Target::Matching(pattern) => {
                records.predicates.push((next, Predicate::Matching(pattern.clone())));
            }
            Target::Everything => records.everything = next,
        }
        if let Target::Any(marks) = target {
            self.announce(next, Some(marks));
        } else {
            self.predicate.store(next.0, Ordering::Relaxed);
            self.announce(next, None);
        }
        let (marks, predicates) = records.sweep_at;
        records.marks.len() > marks || records.predicates.len() > predicates
    }

    /// Returns the clock if nothing in `about` was recorded after `since`.
    ///
    /// The reading returned may be remembered in place of `since`.
    pub(crate) fn check(&self, about: &About, since: Stamp) -> Option<Stamp> {
        let clock = self.now();
        let valid =
            self.surely_valid(about, since) || self.records.read().are_silent_on(about, since);
        let clock = if planted::is(Bug::RememberedFromAfter) { self.now() } else { clock };
        valid.then_some(clock)
    }

    /// The same from the filter alone, for a value that depends on few names. Nothing means only
    /// that it can't tell.
    #[inline]
    pub(crate) fn check_slots(&self, slots: [u16; 4], since: Stamp) -> Option<Stamp> {
        let clock = self.now();
        let latest = |slot: u16| self.filter[filtered_at(slot)].load(Ordering::Relaxed);
        let [a, b, c, d] = slots.map(latest);
        let latest = a.max(b).max(c).max(d).max(self.predicate.load(Ordering::Relaxed));
        let clock = if planted::is(Bug::RememberedFromAfter) { self.now() } else { clock };
        (latest <= since.0).then_some(clock)
    }

    /// What `check_slots` is to look for.
    pub(crate) fn slots(about: &About) -> Slots {
        Slots::of(about)
    }

    /// Whether the filter alone rules out a record. It never forgets, so it needs no floor.
    fn surely_valid(&self, about: &About, since: Stamp) -> bool {
        // Relaxed: ordered behind the Acquire of the clock reading that the answer is for.
        self.predicate.load(Ordering::Relaxed) <= since.0
            && !about.any(&mut |some| {
                some.unbounded || some.marks.iter().any(|mark| self.filtered(*mark) > since)
            })
    }

    /// When the last mark of this one's filter slot was recorded.
    #[inline]
    fn filtered(&self, mark: Mark) -> Stamp {
        Stamp(self.filter[filtered_at(mark.slot())].load(Ordering::Relaxed))
    }

    /// Whether marks alone, before anything else is known of a computation, say it is overtaken.
    pub(crate) fn overtook(&self, marks: &Marks, since: Stamp) -> bool {
        marks.iter().any(|mark| self.filtered(*mark) > since)
            && self.records.read().mention(marks, since)
    }

    /// Drops the records that nothing is older than, and raises the floor to the last of them.
    fn sweep(&self, now: Stamp, participants: impl FnOnce() -> Option<Stamp>) {
        let mut floor = participants().map_or(now, |oldest| oldest.min(now));
        let mut records = self.records.write();
        if planted::is(Bug::DroppedByAge) {
            records.marks.clear();
            return;
        }
        if records.later_than(floor) > MOST_RECORDS {
            floor = now;
        }
        // An older computation may have been given up by an earlier sweep: what that dropped is
        // not known any more.
        floor = floor.max(records.floor);
        records.floor = floor;
        records.marks.retain(|_, recorded| *recorded > floor);
        records.predicates.retain(|(recorded, _)| *recorded > floor);
        records.sweep_at = (
            (2 * records.marks.len()).clamp(SWEEP_AT, MOST_RECORDS),
            SWEEP_PREDICATES_AT.max(2 * records.predicates.len()),
        );
    }

    /// How many records are kept.
    pub(crate) fn len(&self) -> usize {
        let records = self.records.read();
        records.marks.len() + records.predicates.len()
    }
}

impl Records {
    fn are_silent_on(&self, about: &About, since: Stamp) -> bool {
        if since < self.floor || since < self.everything {
            return false;
        }
        let recent = self.predicates.partition_point(|(recorded, _)| *recorded <= since);
        !about.any(&mut |some| some.unbounded || self.mention(&some.marks, since))
            && !self.predicates[recent..].iter().any(|(_, it)| it.holds_for(about))
    }

    fn mention(&self, marks: &Marks, since: Stamp) -> bool {
        marks.iter().any(|mark| self.marks.get(mark).is_some_and(|recorded| *recorded > since))
    }

    fn later_than(&self, floor: Stamp) -> usize {
        self.marks.values().filter(|recorded| **recorded > floor).count()
            + self.predicates.iter().filter(|(recorded, _)| *recorded > floor).count()
    }
}

/// The filter slots of one invalidation, as far as they fit into one word.
#[derive(Clone, Copy)]
struct Announced(u64);

impl Announced {
    const UNTOLD: Self = Self(u64::MAX);

    fn of(marks: &[Mark]) -> Option<Self> {
        let mut lanes = [0; 4];
        // That of a function concerns too much for anyone to look out for it.
        if marks.len() > lanes.len() || marks.iter().any(|mark| mark.is_function()) {
            return None;
        }
        for (lane, mark) in lanes.iter_mut().zip(marks) {
            // One more than the slot: an empty lane is zero.
            *lane = mark.slot() + 1;
        }
        Some(Self(lanes.into_iter().fold(0, |told, lane| told << 16 | u64::from(lane))))
    }

    fn slots(self) -> Option<impl Iterator<Item = u16>> {
        let lane = move |at: u32| u16::try_from(self.0 >> (16 * at) & 0xffff).expect("16 bits");
        (self.0 != Self::UNTOLD.0).then(|| (0..4).filter_map(move |at| lane(at).checked_sub(1)))
    }
}

impl Predicate {
    fn holds_for(&self, about: &About) -> bool {
        match self {
            Self::All(marks) => {
                marks.iter().all(|mark| about.any(&mut |some| some.marks.contains(mark)))
            }
            Self::Matching(pattern) => about.any(&mut |some| {
                some.readable.as_deref().is_some_and(|readable| pattern.matches(readable))
            }),
        }
    }
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::{SWEEP_AT, Target, Versions};
    use crate::entry::Stamp;
    use crate::mark::Mark;

    #[test]
    fn what_a_sweep_drops_may_invalidate() {
        let versions = Versions::default();
        let many = (0..=SWEEP_AT).map(|n| Mark::tag(&n.to_string())).collect();
        let one = Target::Any(vec![Mark::tag("one")]);
        versions.record(&Target::Any(many), None::<fn() -> Option<Stamp>>);
        let swept = || {
            versions.record(&one, Some(|| unreachable!("one sweep is under way")));
            None
        };
        versions.record(&one, Some(swept));
        assert!(versions.len() <= 1);
    }
}
