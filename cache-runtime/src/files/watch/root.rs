//! What is known of one watched directory, event by event. No system call, no clock, no lock.
//!
//! 1. As long as `since` says nothing, nothing below is vouched for.
//! 2. A touched path is suspect until it was looked at and reported: as long as its generation is
//!    after `settled`.
//! 3. What lies behind a link, or on another device, is opaque: never vouched for.
//! 4. A generation before `since` vouches for nothing: what happened after it may be forgotten.
//!
//! Generations come from the outside and never go back.

use crate::hash::HashMap;
use std::collections::BTreeSet;
use std::ops::Bound;
use std::path::{Component, Path, PathBuf};

/// The most paths that are remembered to have been touched, once they were reported.
const MOST_TOUCHED: usize = 10_000;

/// The most that may be waiting to be looked at; beyond, all of it is.
const MOST_PENDING: usize = 65_536;

/// What a watcher says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Touched {
        path: PathBuf,
        /// It may be something else than before, or be somewhere else.
        anew: bool,
    },
    /// Something happened that it can't tell.
    Lost,
}

/// What is to be done at the end of a window.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// What to settle after it.
    pub(super) upto: u64,
    /// Everything has to be watched again.
    pub(super) lost: bool,
    /// What to look at and to report, and whether it may be something else than before.
    pub(super) looks: Vec<(PathBuf, bool)>,
}

#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    since: Option<u64>,
    settled: u64,
    lost: bool,
    touched: HashMap<PathBuf, Touch>,
    /// The latest of all touches.
    latest: u64,
    opaque: BTreeSet<PathBuf>,
    pending: HashMap<PathBuf, bool>,
}

/// When something happened to a path, and below it.
#[derive(Clone, Copy, Debug, Default)]
struct Touch {
    here: u64,
    below: u64,
}

impl Root {
    /// `path` goes through no link.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            since: None,
            settled: 0,
            lost: false,
            touched: HashMap::default(),
            latest: 0,
            opaque: BTreeSet::new(),
            pending: HashMap::default(),
        }
    }

    /// A watch is about to be set up.
    pub(super) fn begin(&mut self, generation: u64) {
        self.lose();
        self.lost = false;
        self.touched.clear();
        self.settled = generation;
    }

    /// The watch stands, and what is opaque was found after it did.
    pub(super) fn stand(&mut self, generation: u64, opaque: Vec<PathBuf>) {
        if !self.lost {
            self.since = Some(generation);
            self.opaque.extend(opaque);
        }
    }

    /// Returns whether this is the first thing to do.
    pub(super) fn note(&mut self, generation: u64, notice: Notice) -> bool {
        let idle = self.pending.is_empty() && !self.lost;
        match notice {
            Notice::Touched { path, anew } if !anew || !self.path.starts_with(&path) => {
                self.touch(&path, generation);
                *self.pending.entry(path).or_default() |= anew;
                if self.pending.len() > MOST_PENDING {
                    self.lose();
                }
            }
            // The directory itself is another one, or none.
            Notice::Touched { .. } | Notice::Lost => self.lose(),
        }
        idle
    }

    pub(super) fn lose(&mut self) {
        self.since = None;
        self.lost = true;
        self.opaque.clear();
        self.pending.clear();
    }

    /// What to do now that the window has ended.
    pub(super) fn take(&mut self, generation: u64) -> Work {
        let looks = self.pending.drain().collect();
        Work { upto: generation, lost: self.lost, looks }
    }

    /// What was found to be opaque at a path and below it.
    pub(super) fn found(&mut self, path: &Path, opaque: Vec<PathBuf>) {
        self.opaque.remove(path);
        while let Some(below) = self.opaque_below(path).cloned() {
            self.opaque.remove(&below);
        }
        self.opaque.extend(opaque);
    }

    /// All that was noted up to a generation was looked at and reported.
    pub(super) fn settle(&mut self, upto: u64) {
        self.settled = self.settled.max(upto);
        if self.touched.len() > MOST_TOUCHED {
            self.since = self.since.map(|since| since.max(upto));
            self.touched.retain(|_, touch| touch.here.max(touch.below) > upto);
        }
    }

    /// Whether a change to the path after `generation` is sure to have been noted, and none was;
    /// and neither is one waiting to be looked at.
    pub(super) fn vouches(&self, path: &Path, generation: u64) -> bool {
        let Some(since) = self.since else { return false };
        // `..` leads elsewhere if what is before it is a link.
        let plain = || !path.components().any(|it| it == Component::ParentDir);
        if since > generation || !path.starts_with(&self.path) || !plain() {
            return false;
        }
        let seen = generation.min(self.settled);
        (self.latest <= seen || self.is_untouched(path, seen))
            && (self.opaque.is_empty() || self.is_transparent(path))
    }

    /// For a path in the directory.
    fn is_untouched(&self, path: &Path, since: u64) -> bool {
        let touch = |path: &Path| self.touched.get(path).copied().unwrap_or_default();
        touch(path).here.max(touch(path).below) <= since
            && self.above(path).all(|it| touch(it).here <= since)
    }

    /// For a path in the directory.
    fn is_transparent(&self, path: &Path) -> bool {
        !self.opaque.contains(path)
            && self.opaque_below(path).is_none()
            && !self.above(path).any(|it| self.opaque.contains(it))
    }

    /// The directories between a path and this one, which is among them.
    fn above<'a>(&self, path: &'a Path) -> impl Iterator<Item = &'a Path> + use<'a> {
        // What is further up is shorter, and lengths are cheaper to compare than paths.
        let length = self.path.as_os_str().len();
        path.ancestors().skip(1).take_while(move |it| it.as_os_str().len() >= length)
    }

    fn touch(&mut self, path: &Path, generation: u64) {
        self.latest = generation;
        self.touched.entry(path.to_owned()).or_default().here = generation;
        for above in self.above(path) {
            self.touched.entry(above.to_owned()).or_default().below = generation;
        }
    }

    fn opaque_below(&self, path: &Path) -> Option<&PathBuf> {
        let mut after = self.opaque.range::<Path, _>((Bound::Excluded(path), Bound::Unbounded));
        after.next().filter(|it| it.starts_with(path))
    }
}

#[cfg(test)]
mod tests;
