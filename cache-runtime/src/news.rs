//! What one thread has heard of invalidations, so that it need not look each name up.
//!
//! 1. Of every invalidation after `since` and up to `heard`, the filter slots of its names are
//!    marked. What was valid at `since` or later and has no slot marked is valid at `heard`.
//! 2. What can't be told in slots, or soon enough, starts the news anew.

use crate::entry::Stamp;
use crate::versions::Versions;

/// A slot is marked at its remainder, in a whole byte: that is the fastest look-up.
const PLACES: usize = 1 << 14;
/// More marked places than this say too little.
const MOST_MARKED: usize = PLACES / 32;

pub(crate) struct News {
    since: Stamp,
    heard: Stamp,
    marked: [u8; PLACES],
    count: usize,
}

impl News {
    pub(crate) fn new() -> Self {
        let (since, heard) = (Stamp::default(), Stamp::default());
        Self { since, heard, marked: [0; PLACES], count: 0 }
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
            let place = usize::from(slot) % PLACES;
            *count += usize::from(marked[place] == 0);
            marked[place] = 1;
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

    /// Whether what was valid at `at` and depends on a key, its function, and tags of these slots
    /// surely is valid still. Otherwise the records know.
    #[inline]
    pub(crate) fn vouch(&self, key: u16, [a, b]: [u16; 2], at: Stamp) -> bool {
        // Without a branch between them: this is asked on every hit while others invalidate.
        let marked = self.mark(key) | self.mark(a) | self.mark(b);
        at >= self.since && marked == 0
    }

    #[inline]
    fn mark(&self, slot: u16) -> u8 {
        self.marked[usize::from(slot) % PLACES]
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_MARKED, News, PLACES};
    use crate::entry::Stamp;
    use crate::mark::Mark;
    use crate::target::Target;
    use crate::versions::Versions;

    fn record(versions: &Versions, target: &Target) {
        versions.record(target, None::<fn() -> Option<Stamp>>);
    }

    fn slot(tag: &str) -> u16 {
        Mark::tag(tag).slot()
    }

    /// Whether a name of this slot is vouched for, be it the key's or a tag's.
    fn vouches(news: &News, tag: &str, at: Stamp) -> bool {
        let slot = slot(tag);
        let is_free = |it: &u16| {
            usize::from(*it) % PLACES != usize::from(slot) % PLACES && news.mark(*it) == 0
        };
        let free = (0..u16::MAX).find(is_free).expect("few are marked");
        let said = [(slot, [free; 2]), (free, [slot, free]), (free, [free, slot])]
            .map(|(key, tags)| news.vouch(key, tags, at));
        assert!(said.iter().all(|it| *it == said[0]), "{said:?}");
        said[0]
    }

    /// A tag whose slot is not that of any tag in `others`.
    fn apart(others: &[&str]) -> String {
        let taken = |tag: &str| others.iter().any(|other| slot(other) % 128 == slot(tag) % 128);
        let tags = (0..100).map(|n| format!("apart:{n}"));
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
        assert!(!vouches(&news, "hit", before));
        assert!(vouches(&news, &other, before));
    }

    /// V3: the clock and one comparison, until something is invalidated.
    #[test]
    fn where_nothing_was_invalidated_no_name_is_looked_up() {
        let (versions, mut news) = (Versions::default(), News::new());
        news.hear(&versions);
        let before = versions.now();
        assert!(news.is_none_since(before));
        record(&versions, &Target::Any(vec![Mark::tag("hit")]));
        news.hear(&versions);
        assert!(!news.is_none_since(before));
        assert!(news.is_none_since(versions.now()));
        record(&versions, &Target::Everything);
        news.hear(&versions);
        assert!(!news.is_none_since(before));
        assert!(news.is_none_since(versions.now()));
    }

    #[test]
    fn what_is_not_told_in_slots_starts_anew() {
        for target in [
            Target::Everything,
            Target::All(vec![Mark::tag("a"), Mark::tag("b")]),
            Target::Any(vec![Mark::function(0, "f")]),
            Target::Any((0..5).map(|n| Mark::tag(&n.to_string())).collect()),
        ] {
            let (versions, mut news) = (Versions::default(), News::new());
            news.hear(&versions);
            let before = versions.now();
            record(&versions, &target);
            news.hear(&versions);
            assert!(!vouches(&news, "any", before));
            assert!(vouches(&news, "any", versions.now()));
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
        assert!(!vouches(&news, &other, before));
        assert!(vouches(&news, "hit", versions.now()));
    }

    #[test]
    fn too_many_marks_start_anew() {
        let (versions, mut news) = (Versions::default(), News::new());
        news.hear(&versions);
        let before = versions.now();
        for n in 0..2 * MOST_MARKED {
            record(&versions, &Target::Any(vec![Mark::tag(&n.to_string())]));
            news.hear(&versions);
            assert!(!vouches(&news, &n.to_string(), before));
        }
        assert!(news.since > before);
    }
}
