//! The logical clock of this process, and what may be served by it (V1, V2, V3).
//!
//! Definitions. A *stamp* is a reading of the clock. A value is valid if nothing it depends on has a
//! record later than the stamp its computation began with.
//!
//! 1. One invalidator at a time, and its records are visible before the clock moves past them.
//! 2. Who remembers "valid at clock c" read c before looking at the records.
//! 3. A record is dropped only when no entry and no computation is older than it; the floor then
//!    rises to it, and a stamp below the floor is not valid.
//! 4. The filter never shows less than the records do.

use crate::entry::{About, Marks, Slots, Stamp};
use crate::mark::Mark;
use crate::planted::{self, Bug};
use crate::recent::Recent;
use crate::records::Records;
use crate::sync::{AtomicU64, Mutex, Ordering, RwLock};
use crate::target::Target;

#[cfg(not(any(larder_model, test)))]
const FILTER: usize = 16_384;
/// Little, as tests make many.
#[cfg(all(test, not(larder_model)))]
const FILTER: usize = 64;
#[cfg(larder_model)]
const FILTER: usize = 2;

/// What the clock shows at first.
const BEGINNING: Stamp = Stamp(1);

/// The place in the filter for a slot.
#[inline]
fn filtered_at(slot: u16) -> usize {
    usize::from(slot) % FILTER
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
    recent: Recent,
    records: RwLock<Records>,
    invalidator: Mutex<()>,
    sweeper: Mutex<()>,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            clock: Padded(AtomicU64::new(BEGINNING.0)),
            predicate: AtomicU64::new(0),
            filter: (0..FILTER).map(|_| AtomicU64::new(0)).collect(),
            recent: Recent::default(),
            records: RwLock::default(),
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
        self.recent.announce(next, Some(&[mark]));
        self.publish(next);
    }

    /// Tells the filter slots of all that was recorded after `since` and up to `now`. False if that
    /// can't be told.
    pub(crate) fn tell(&self, since: Stamp, now: Stamp, each: impl FnMut(u16)) -> bool {
        self.recent.tell(since, now, || self.now(), each)
    }

    fn publish(&self, next: Stamp) {
        // Release: meets the Acquire in `now`; the records up to `next` come first.
        self.clock.0.store(next.0, Ordering::Release);
    }

    /// Writes the records of one invalidation, and says whether a sweep is due.
    fn write(&self, target: &Target, next: Stamp) -> bool {
        let mut records = self.records.write();
        if let Target::Any(marks) = target {
            for mark in marks {
                self.filter[filtered_at(mark.slot())].store(next.0, Ordering::Relaxed);
            }
            self.recent.announce(next, Some(marks));
        } else {
            self.predicate.store(next.0, Ordering::Relaxed);
            self.recent.announce(next, None);
        }
        records.write(target, next);
        records.is_sweep_due()
    }

    /// Whether nothing in `about` was ever recorded.
    #[cfg(feature = "redis")]
    pub(crate) fn never_heard_of(&self, about: &About) -> bool {
        self.check(about, BEGINNING).is_some()
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

    /// Which of its own marks was recorded after `since`, of a value that is not valid.
    pub(crate) fn culprit(&self, about: &About, since: Stamp) -> Option<usize> {
        let records = self.records.read();
        about.marks.iter().position(|mark| records.mention(&[*mark], since))
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

    /// Whether a value that stays in this process may be a part of one that does not: whether
    /// nothing was recorded of it, or of what it was computed from, in names that leave the process.
    pub(crate) fn vouch_beyond(&self, about: &About) -> bool {
        let records = self.records.read();
        !about.any(&mut |some| {
            let stand_in = some.stand_in.as_deref();
            stand_in.is_some_and(|marks| !records.are_silent_on_names(marks, some.since))
        })
    }

    /// Whether marks alone, before anything else is known of a computation, say it is overtaken.
    pub(crate) fn overtook(&self, marks: &Marks, since: Stamp) -> bool {
        marks.iter().any(|mark| self.filtered(*mark) > since)
            && self.records.read().mention(marks, since)
    }

    /// Drops the records that nothing is older than.
    fn sweep(&self, now: Stamp, participants: impl FnOnce() -> Option<Stamp>) {
        let oldest = participants().map_or(now, |oldest| oldest.min(now));
        let mut records = self.records.write();
        if planted::is(Bug::DroppedByAge) {
            records.clear();
        } else {
            records.sweep(oldest, now);
        }
    }

    /// Whether the next invalidation sweeps.
    #[cfg(feature = "beyond")]
    pub(crate) fn is_sweep_due(&self) -> bool {
        self.records.read().is_sweep_due()
    }

    /// How many records are kept.
    pub(crate) fn len(&self) -> usize {
        self.records.read().len()
    }
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::Versions;
    use crate::entry::Stamp;
    use crate::mark::Mark;
    use crate::records::SWEEP_AT;
    use crate::target::Target;

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
