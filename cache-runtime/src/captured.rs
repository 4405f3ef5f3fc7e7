//! What a value is valid under in the tier that machines share (V5): the versions of all it depends
//! on, as they were before it was computed.
//!
//! 1. What a value is made of adds versions only if they were captured before that one began, or if
//!    nothing was invalidated in between. *Naive: whenever they were captured. A body reads what a
//!    callee depends on, that is invalidated, and then it calls: the callee is computed, captures what
//!    came after, and under that the caller would pass for valid.*

use crate::mark::Mark;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a mark had in the shared tier at some time. Random, and never the same again once the mark
/// was invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) [u8; 16]);

/// Tells one computation from all others.
pub(crate) type Origin = [u8; 16];

/// A place in the list of those invalidations that name no single mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LedgerAt {
    /// Random: another one has another list.
    pub(crate) epoch: Version,
    pub(crate) position: u64,
}

/// The versions a computation began with.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    pub(crate) ledger: LedgerAt,
    /// In the order of the marks, each once.
    versions: Vec<(Mark, Version)>,
    /// Which computation's value is valid under them, once there is one.
    pub(crate) origin: Origin,
    taken: Taken,
    /// What was listed up to that place had been recorded in this process by then: what is found valid
    /// here later is as good as captured there, as long as this process goes on to follow: so often it had
    /// lost track by then.
    has_heard: Option<u64>,
    /// What was listed since may hold for what has these, and this process would not have been told: that
    /// is not kept in the tier, or comes from a disk and was compared with nothing yet.
    may_be_behind: bool,
}

/// When something was captured, as far as this process can tell.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// Of two, the later has the greater number.
    order: u64,
    /// As long as the namespace has the same one, no mark in it is invalidated.
    generation: Option<Version>,
}

impl Taken {
    fn now(generation: Option<Version>) -> Self {
        static ORDER: AtomicU64 = AtomicU64::new(0);
        // Relaxed: who makes something of two has been handed both.
        Self { order: ORDER.fetch_add(1, Relaxed), generation }
    }

    /// Whether a mark may have been invalidated between the two.
    fn is_behind(self, other: Self) -> bool {
        self.order > other.order
            && (self.generation.is_none() || self.generation != other.generation)
    }
}

impl PartialEq for Captured {
    /// Whether the same holds under both, whenever they were captured.
    fn eq(&self, other: &Self) -> bool {
        (self.ledger, self.origin) == (other.ledger, other.origin)
            && self.versions == other.versions
    }
}

impl Eq for Captured {}

impl Captured {
    pub(crate) fn new(
        ledger: LedgerAt,
        versions: impl IntoIterator<Item = (Mark, Version)>,
    ) -> Self {
        let mut versions: Vec<_> = versions.into_iter().collect();
        if !versions.is_sorted_by(|(one, _), (next, _)| one < next) {
            versions.sort_by_key(|(mark, _)| *mark);
            versions.dedup_by_key(|(mark, _)| *mark);
        }
        let (origin, taken) = (Origin::default(), Taken::now(None));
        Self { ledger, versions, origin, taken, has_heard: None, may_be_behind: false }
    }

    /// The same, captured by now. `generation` was read no earlier than they were.
    pub(crate) fn taken_now(self, generation: Option<Version>) -> Self {
        Self { taken: Taken::now(generation), ..self }
    }

    /// The same, of what is not kept in the tier.
    pub(crate) fn of_witness(self) -> Self {
        Self { may_be_behind: true, ..self }
    }

    /// The same, found to hold up to a place in the ledger by now. `generation` is that of then.
    pub(crate) fn compared(self, ledger: LedgerAt, generation: Option<Version>) -> Self {
        Self { ledger, may_be_behind: false, ..self.taken_now(generation) }
    }

    /// The same, where this process has recorded all that was listed up to that place, or not.
    pub(crate) fn heard(self, has_heard: Option<u64>) -> Self {
        Self { has_heard, ..self }
    }

    pub(crate) fn has_heard(&self) -> Option<u64> {
        self.has_heard
    }

    /// Whether what was listed since may hold for what has these, and nobody here would know.
    pub(crate) fn may_be_behind(&self) -> bool {
        self.may_be_behind
    }

    pub(crate) fn get(&self, mark: Mark) -> Option<Version> {
        let at = self.versions.binary_search_by_key(&mark, |(it, _)| *it).ok()?;
        Some(self.versions[at].1)
    }

    pub(crate) fn versions(&self) -> impl ExactSizeIterator<Item = (Mark, Version)> {
        self.versions.iter().copied()
    }

    /// Takes over what a value was computed under that was found valid here after this was captured:
    /// the older of the two places in the ledger, if that makes a difference. False if something has
    /// been invalidated between the two, or may have been.
    pub(crate) fn join(&mut self, other: &Self) -> bool {
        if self.ledger.epoch != other.ledger.epoch {
            return false;
        }
        if self.has_heard.is_none() {
            self.ledger.position = self.ledger.position.min(other.ledger.position);
        }
        let may_add = !other.taken.is_behind(self.taken);
        let agrees = |(mark, version)| self.get(mark).map_or(may_add, |own| own == version);
        let agree = other.versions().all(agrees);
        if agree {
            self.versions.extend_from_slice(&other.versions);
            // Of what both have, one is as good as the other.
            self.versions.sort_by_key(|(mark, _)| *mark);
            self.versions.dedup_by_key(|(mark, _)| *mark);
        }
        agree
    }

    /// Leaves out what is not among these.
    pub(crate) fn keep(&mut self, marks: impl Fn(Mark) -> bool) {
        self.versions.retain(|(mark, _)| marks(*mark));
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(40 + 32 * self.versions.len());
        out.extend_from_slice(&self.ledger.epoch.0);
        out.extend_from_slice(&self.ledger.position.to_le_bytes());
        out.extend_from_slice(&self.origin);
        for (mark, version) in &self.versions {
            mark.words().iter().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
            out.extend_from_slice(&version.0);
        }
        out
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (epoch, rest) = bytes.split_first_chunk()?;
        let (position, rest) = rest.split_first_chunk()?;
        let (origin, rest) = rest.split_first_chunk()?;
        let (each, []) = rest.as_chunks::<32>() else { return None };
        let versions = each.iter().map(|one| {
            let word = |at: usize| {
                u64::from_le_bytes(one[at..at + 8].try_into().expect("eight of 32 bytes"))
            };
            let version = one[16..].try_into().expect("the other half of 32 bytes");
            (Mark::from_words([word(0), word(8)]), Version(version))
        });
        let ledger = LedgerAt { epoch: Version(*epoch), position: u64::from_le_bytes(*position) };
        Some(Self { origin: *origin, ..Self::new(ledger, versions).of_witness() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Captured, LedgerAt, Version};
    use crate::mark::Mark;

    /// In a namespace where nothing is invalidated.
    fn captured(position: u64, versions: &[(&str, u8)]) -> Captured {
        bare(position, versions).taken_now(Some(Version([5; 16])))
    }

    fn bare(position: u64, versions: &[(&str, u8)]) -> Captured {
        let ledger = LedgerAt { epoch: Version([7; 16]), position };
        let versions = versions.iter().map(|(tag, it)| (Mark::tag(tag), Version([*it; 16])));
        Captured::new(ledger, versions)
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let captured = Captured { origin: [6; 16], ..captured(9, &[("a", 1), ("b", 2)]) };
        let bytes = captured.write();
        assert_eq!(Captured::read(&bytes), Some(captured));
        assert_eq!(Captured::read(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Captured::read(&[]), None);
    }

    #[test]
    fn of_two_the_older_place_and_all_versions_are_kept() {
        let mut one = captured(9, &[("a", 1), ("b", 2)]);
        assert!(one.join(&captured(8, &[("b", 2), ("c", 3)])));
        assert_eq!(one, captured(8, &[("a", 1), ("b", 2), ("c", 3)]));
    }

    #[test]
    fn what_was_captured_later_adds_nothing_unless_nothing_was_invalidated() {
        let early = bare(9, &[("a", 1)]);
        let mut late = bare(9, &[("b", 2)]);
        assert!(late.join(&early), "what is older is lost with what it depends on");
        assert!(!early.clone().join(&late));
        assert!(early.clone().join(&bare(9, &[("a", 1)])), "nothing is added");
        let [one, same, other] = [5, 5, 6].map(|it| Some(Version([it; 16])));
        let early = early.taken_now(one);
        assert!(early.clone().join(&late.clone().taken_now(same)));
        assert!(!early.clone().join(&late.clone().taken_now(other)));
        assert!(!early.clone().join(&late.taken_now(None)));
    }

    #[test]
    fn an_older_place_is_not_taken_over_where_all_that_was_listed_since_was_heard() {
        let position = |own: &Captured, other: &Captured| {
            let mut own = own.clone();
            assert!(own.join(other));
            own.ledger.position
        };
        let (own, old) = (captured(9, &[("a", 1)]), captured(3, &[("a", 1)]));
        assert_eq!(position(&own, &old), 3, "what was listed since may hold for it");
        let own = own.heard(Some(0));
        assert_eq!(position(&own, &old), 9);
    }

    #[test]
    fn what_comes_from_a_disk_may_be_behind_until_it_was_compared() {
        let read = Captured::read(&captured(3, &[("a", 1)]).write()).unwrap();
        assert!(read.may_be_behind());
        let ledger = read.ledger;
        assert!(!read.compared(ledger, None).may_be_behind());
    }

    #[test]
    fn two_that_saw_different_versions_contradict_each_other() {
        assert!(!captured(9, &[("a", 1)]).join(&captured(9, &[("a", 2)])));
        let mut other = captured(9, &[]);
        other.ledger.epoch = Version([8; 16]);
        assert!(!captured(9, &[]).join(&other));
    }
}
