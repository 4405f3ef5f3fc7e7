//! What was read of marks: their versions, found by mark.

use super::Version;
use crate::mark::Mark;
use smallvec::SmallVec;

/// What marks have. Mostly a handful, which no table finds faster.
#[derive(Default)]
pub(super) struct Versions {
    /// In the order of the marks.
    all: SmallVec<[(Mark, Option<Version>); 8]>,
}

impl Versions {
    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = (Mark, Option<Version>)>) {
        self.all.extend(more);
        self.all.sort_unstable_by_key(|(mark, _)| *mark);
    }

    /// Whether a mark was asked for.
    pub(super) fn has(&self, mark: Mark) -> bool {
        self.find(mark).is_some()
    }

    /// What a mark has.
    pub(super) fn get(&self, mark: Mark) -> Option<Version> {
        self.find(mark)?.1
    }

    fn find(&self, mark: Mark) -> Option<&(Mark, Option<Version>)> {
        let at = self.all.binary_search_by_key(&mark, |(it, _)| *it).ok()?;
        self.all.get(at)
    }
}

impl FromIterator<(Mark, Option<Version>)> for Versions {
    fn from_iter<I: IntoIterator<Item = (Mark, Option<Version>)>>(all: I) -> Self {
        let mut versions = Self::default();
        versions.extend(all);
        versions
    }
}
