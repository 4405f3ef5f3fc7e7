//! The records of what was invalidated when, exact and bounded (V1, V2).
//!
//! Definitions. A *record* is a name and the reading of a clock at which it was last invalidated. A
//! *predicate* is one that names no single mark.
//!
//! 1. Records are written in the order of their stamps.
//! 2. What is at or below the floor has been dropped, so a stamp below it is never valid.

use crate::entry::{About, Stamp};
use crate::mark::{Mark, MarkHasher};
use crate::pattern::Pattern;
use crate::target::{self, Target};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;

/// Records kept before a sweep is due, and the most that are kept however old a computation is.
#[cfg(not(larder_model))]
pub(crate) const SWEEP_AT: usize = 65_536;
#[cfg(larder_model)]
pub(crate) const SWEEP_AT: usize = 2;
const MOST_RECORDS: usize = 16 * SWEEP_AT;
/// Predicates are looked at one by one, so fewer of them are let stand.
const SWEEP_PREDICATES_AT: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Records {
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

impl Default for Records {
    fn default() -> Self {
        Self {
            marks: HashMap::default(),
            predicates: Vec::new(),
            everything: Stamp(0),
            floor: Stamp(0),
            sweep_at: (SWEEP_AT, SWEEP_PREDICATES_AT),
        }
    }
}

impl Records {
    pub(crate) fn write(&mut self, target: &Target, at: Stamp) {
        match target {
            Target::Any(marks) => self.marks.extend(marks.iter().map(|mark| (*mark, at))),
            Target::All(marks) => self.predicates.push((at, Predicate::All(marks.clone()))),
            Target::Matching(pattern) => {
                self.predicates.push((at, Predicate::Matching(pattern.clone())));
            }
            Target::Everything => self.everything = at,
        }
    }

    /// Whether nothing in `about` was recorded after `since`.
    pub(crate) fn are_silent_on(&self, about: &About, since: Stamp) -> bool {
        if since < self.floor || since < self.everything {
            return false;
        }
        !about.any(&mut |some| some.unbounded || self.mention(&some.marks, since))
            && !self.recent(since).iter().any(|(_, it)| it.holds_for(about))
    }

    /// The same for what depends on these marks, all its own. What else is known of it is asked for
    /// only if there are predicates to hold against it.
    #[cfg(feature = "disk")]
    pub(crate) fn are_silent_on_marks(
        &self,
        mut marks: impl Iterator<Item = Mark>,
        about: impl FnOnce() -> About,
        since: Stamp,
    ) -> bool {
        if since < self.floor || since < self.everything {
            return false;
        }
        let recent = self.recent(since);
        !marks.any(|mark| self.mentions(mark, since))
            && (recent.is_empty() || {
                let about = about();
                !recent.iter().any(|(_, it)| it.holds_for(&about))
            })
    }

    /// Whether nothing was recorded of these marks after `since`.
    pub(crate) fn are_silent_on_names(&self, marks: &[Mark], since: Stamp) -> bool {
        since >= self.floor && !marks.iter().any(|mark| self.mentions(*mark, since))
    }

    pub(crate) fn mention(&self, marks: &[Mark], since: Stamp) -> bool {
        marks.iter().any(|mark| self.mentions(*mark, since))
    }

    fn mentions(&self, mark: Mark, since: Stamp) -> bool {
        self.marks.get(&mark).is_some_and(|recorded| *recorded > since)
    }

    fn recent(&self, since: Stamp) -> &[(Stamp, Predicate)] {
        let recent = self.predicates.partition_point(|(recorded, _)| *recorded <= since);
        &self.predicates[recent..]
    }

    pub(crate) fn is_sweep_due(&self) -> bool {
        let (marks, predicates) = self.sweep_at;
        self.marks.len() > marks || self.predicates.len() > predicates
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.marks.clear();
    }

    /// Drops what nothing is older than, and raises the floor to it; to `now` if too much would be
    /// left.
    pub(crate) fn sweep(&mut self, oldest: Stamp, now: Stamp) {
        let kept = if self.later_than(oldest) > MOST_RECORDS { now } else { oldest };
        // An older computation may have been given up by an earlier sweep: what that dropped is
        // not known any more.
        self.drop_up_to(kept.max(self.floor));
        self.sweep_at = (
            (2 * self.marks.len()).clamp(SWEEP_AT, MOST_RECORDS),
            SWEEP_PREDICATES_AT.max(2 * self.predicates.len()),
        );
    }

    /// Drops what was recorded up to a stamp, which becomes the floor.
    pub(crate) fn drop_up_to(&mut self, floor: Stamp) {
        self.floor = floor;
        self.marks.retain(|_, recorded| *recorded > floor);
        self.predicates.retain(|(recorded, _)| *recorded > floor);
    }

    fn later_than(&self, floor: Stamp) -> usize {
        self.marks.values().filter(|recorded| **recorded > floor).count()
            + self.predicates.iter().filter(|(recorded, _)| *recorded > floor).count()
    }

    /// How many records are kept.
    pub(crate) fn len(&self) -> usize {
        self.marks.len() + self.predicates.len()
    }
}

impl Predicate {
    fn holds_for(&self, about: &About) -> bool {
        match self {
            Self::All(marks) => target::carries_all(about, marks),
            Self::Matching(pattern) => target::matches(about, pattern),
        }
    }
}
