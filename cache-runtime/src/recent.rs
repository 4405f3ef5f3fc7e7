//! Word of the latest invalidations, in slots of the filter, for whoever keeps news of them.

use crate::entry::Stamp;
use crate::mark::Mark;
use crate::sync::{AtomicU64, Ordering};

/// How many of the latest invalidations can be told.
const RECENT: u64 = 1_024;

/// For each of the latest readings, the filter slots of what was recorded then.
#[derive(Debug)]
pub(crate) struct Recent(Box<[AtomicU64]>);

impl Default for Recent {
    fn default() -> Self {
        Self((0..RECENT).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Recent {
    /// Leaves word of what is recorded at a reading; nothing, if it is not only marks.
    pub(crate) fn announce(&self, next: Stamp, marks: Option<&[Mark]>) {
        let told = marks.and_then(Announced::of).unwrap_or(Announced::UNTOLD);
        // Release: who meets an announcement in the place of an older one also sees the clock that
        // was published before it, and so that the older one is gone.
        self.0[Self::place(next.0)].store(told.0, Ordering::Release);
    }

    fn place(reading: u64) -> usize {
        usize::try_from(reading % RECENT).expect("a place in the table")
    }

    /// Tells the filter slots of all that was recorded after `since` and up to `now`. False if that
    /// can't be told. `clock` reads the clock.
    pub(crate) fn tell(
        &self,
        since: Stamp,
        now: Stamp,
        clock: impl FnOnce() -> Stamp,
        mut each: impl FnMut(u16),
    ) -> bool {
        if now.0.saturating_sub(since.0) >= RECENT {
            return false;
        }
        for reading in since.0 + 1..=now.0 {
            // Acquire: meets the Release in `announce`.
            let told = self.0[Self::place(reading)].load(Ordering::Acquire);
            let Some(slots) = Announced(told).slots() else { return false };
            slots.for_each(&mut each);
        }
        // The next announcement to come is written before the clock says so.
        clock().0.saturating_sub(since.0) + 1 < RECENT
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
