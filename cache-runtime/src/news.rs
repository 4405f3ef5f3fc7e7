//! What one thread has heard of invalidations, so that it need not look each name up.
//!
//! 1. Of every invalidation after `since` and up to `heard`, the filter slots of its names are
//!    marked. What was valid at `since` or later and has no slot marked is valid at `heard`.
//! 2. What can't be told in slots, or soon enough, starts the news anew.

use crate::entry::Stamp;
use crate::versions::{FILTER, Versions};

/// More marked slots than this say too little.
const MOST_MARKED: usize = FILTER / 32;

pub(crate) struct News {
    since: Stamp,
    heard: Stamp,
    /// By slot, not by bit: that is the faster look-up.
    marked: [u8; FILTER],
    count: usize,
}

impl News {
    pub(crate) fn new() -> Self {
        let (since, heard) = (Stamp::default(), Stamp::default());
        Self { since, heard, marked: [0; FILTER], count: 0 }
    }

    /// Hears what has happened. To be called before anything is judged by it.
    #[inline]
    pub(crate) fn hear(&mut self, versions: &Versions) {
        let now = versions.now();
        if now != self.heard {
            self.catch_up(versions, now);
        }
    }

    #[cold]
    #[inline(never)]
    fn catch_up(&mut self, versions: &Versions, now: Stamp) {
        let (marked, count) = (&mut self.marked, &mut self.count);
        let told = versions.tell(self.heard, now, |slot| {
            *count += usize::from(marked[slot] == 0);
            marked[slot] = 1;
        });
        if !told || self.count > MOST_MARKED {
            self.marked.fill(0);
            self.count = 0;
            self.since = now;
        }
        self.heard = now;
    }

    /// Whether nothing at all happened since `at`.
    #[inline]
    pub(crate) fn is_none_since(&self, at: Stamp) -> bool {
        at >= if self.count == 0 { self.since } else { self.heard }
    }

    /// Whether what was valid at `at` and depends on these filter slots surely is valid still.
    /// Otherwise the records know.
    #[inline]
    pub(crate) fn vouch(&self, [a, b, c, d]: [usize; 4], at: Stamp) -> bool {
        // One by one, and without a branch: this is asked on every hit of a busy runtime.
        let marked = self.mark(a) | self.mark(b) | self.mark(c) | self.mark(d);
        at >= self.since && marked == 0
    }

    #[inline]
    fn mark(&self, slot: usize) -> u8 {
        self.marked[slot % self.marked.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_MARKED, News};
    use crate::entry::Stamp;
    use crate::mark::Mark;
    use crate::versions::{FILTER, Target, Versions};

    fn record(versions: &Versions, target: &Target) {
        versions.record(target, None::<fn() -> Option<Stamp>>);
    }

    fn slots(tag: &str) -> [usize; 4] {
        [Mark::tag(tag).slot(FILTER); 4]
    }

    /// A tag whose filter slot is not that of any tag in `others`.
    fn apart(others: &[&str]) -> String {
        let taken = |tag: &str| others.iter().any(|other| slots(other) == slots(tag));
        let tags = (0..FILTER).map(|n| format!("apart:{n}"));
        tags.into_iter().find(|tag| !taken(tag)).expect("there are many slots")
    }

    #[test]
    fn what_was_invalidated_is_not_vouched_for_and_the_rest_is() {
        let (versions, mut news) = (Versions::default(), News::new());
        news.hear(&versions);
        let before = versions.now();
        let other = apart(&["hit"]);
        record(&versions, &Target::Any(vec![Mark::tag("hit")]));
        news.hear(&versions);
        assert!(!news.vouch(slots("hit"), before));
        assert!(news.vouch(slots(&other), before));
    }

    #[test]
    fn what_is_not_told_in_slots_starts_anew() {
        for target in [
            Target::Everything,
            Target::All(vec![Mark::tag("a"), Mark::tag("b")]),
            Target::Any((0..5).map(|n| Mark::tag(&n.to_string())).collect()),
        ] {
            let (versions, mut news) = (Versions::default(), News::new());
            news.hear(&versions);
            let before = versions.now();
            record(&versions, &target);
            news.hear(&versions);
            assert!(!news.vouch(slots("any"), before));
            assert!(news.vouch(slots("any"), versions.now()));
        }
    }

    #[test]
    fn whoever_has_not_listened_for_long_starts_anew() {
        let (versions, mut news) = (Versions::default(), News::new());
        news.hear(&versions);
        let before = versions.now();
        let other = apart(&["hit"]);
        for _ in 0..10_000 {
            record(&versions, &Target::Any(vec![Mark::tag("hit")]));
        }
        news.hear(&versions);
        assert!(!news.vouch(slots(&other), before));
        assert!(news.vouch(slots("hit"), versions.now()));
    }

    #[test]
    fn too_many_marks_start_anew() {
        let (versions, mut news) = (Versions::default(), News::new());
        news.hear(&versions);
        let before = versions.now();
        for n in 0..2 * MOST_MARKED {
            record(&versions, &Target::Any(vec![Mark::tag(&n.to_string())]));
            news.hear(&versions);
            assert!(!news.vouch(slots(&n.to_string()), before));
        }
        assert!(news.since > before);
    }
}
