//! Everything that is watched in this process, for those who would otherwise look at files.
//!
//! 1. The published generation is that of the state, or older.
//! 2. What a notice says is in the state before its generation is published.
//! 3. Notices of a watcher that was replaced count for nothing.
//!
//! A generation is a number of one process, and never 0.

use super::root::{Notice, Root, Work};
use crate::sync::{AtomicU64, Ordering, RwLock};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One watched directory among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RootId(u64);

/// One watcher among those that a directory had, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

#[derive(Debug, Default)]
pub(crate) struct Coverage {
    generation: AtomicU64,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    roots: BTreeMap<RootId, (Root, Epoch)>,
}

impl Coverage {
    /// Before all generations.
    pub(crate) const NEVER: u64 = 0;

    /// Whether nothing at all was noted since a generation.
    #[inline]
    pub(crate) fn is_at(&self, generation: u64) -> bool {
        // Relaxed: nothing is read because of it. Whoever was told of a change by someone who saw
        // it noted sees its generation, too.
        generation != Self::NEVER && self.generation.load(Ordering::Relaxed) == generation
    }

    /// The generation of now, if every change to these paths after `generation` is sure to have been
    /// noted, and none was.
    pub(crate) fn unchanged_since<'a>(
        &self,
        generation: u64,
        paths: impl IntoIterator<Item = &'a Path>,
    ) -> Option<u64> {
        let state = self.state.read();
        state.vouches(generation, paths).then_some(state.generation)
    }

    /// The generation of now, if from now on every change to these paths is sure to be noted.
    pub(crate) fn watched<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Option<u64> {
        let state = self.state.read();
        state.vouches(state.generation, paths).then_some(state.generation)
    }

    /// Whether from now on every change to this path is sure to be noted.
    #[cfg(test)]
    pub(crate) fn is_watched(&self, path: &Path) -> bool {
        self.watched([path]).is_some()
    }

    pub(super) fn open(&self, path: PathBuf) -> RootId {
        let mut state = self.state.write();
        self.advance(&mut state);
        let generation = state.generation;
        let id = RootId(generation);
        state.roots.insert(id, (Root::new(path), Epoch(generation)));
        id
    }

    pub(super) fn close(&self, id: RootId) {
        let mut state = self.state.write();
        state.roots.remove(&id);
        self.advance(&mut state);
    }

    /// A watch of the directory is about to be set up.
    pub(super) fn begin(&self, id: RootId) -> Epoch {
        let mut state = self.state.write();
        self.advance(&mut state);
        let generation = state.generation;
        if let Some((root, epoch)) = state.roots.get_mut(&id) {
            root.begin(generation);
            *epoch = Epoch(generation);
        }
        Epoch(generation)
    }

    pub(super) fn stand(&self, id: RootId, opaque: Vec<PathBuf>) {
        self.change(id, |root, generation| root.stand(generation, opaque));
    }

    /// Returns whether this is the first thing to do for whoever keeps the directory.
    pub(super) fn note(&self, id: RootId, from: Epoch, notice: Notice) -> bool {
        let mut state = self.state.write();
        let generation = state.generation + 1;
        let Some((root, epoch)) = state.roots.get_mut(&id) else { return false };
        if *epoch != from {
            return false;
        }
        let first = root.note(generation, notice);
        self.advance(&mut state);
        first
    }

    pub(super) fn lose(&self, id: RootId) {
        self.change(id, |root, _| root.lose());
    }

    pub(super) fn take(&self, id: RootId) -> Work {
        let mut state = self.state.write();
        let generation = state.generation;
        state.roots.get_mut(&id).map(|(root, _)| root.take(generation)).unwrap_or_default()
    }

    pub(super) fn found(&self, id: RootId, path: &Path, opaque: Vec<PathBuf>) {
        self.change(id, |root, _| root.found(path, opaque));
    }

    /// Nothing becomes less certain by it, so the generation stays.
    pub(super) fn settle(&self, id: RootId, upto: u64) {
        if let Some((root, _)) = self.state.write().roots.get_mut(&id) {
            root.settle(upto);
        }
    }

    fn change(&self, id: RootId, change: impl FnOnce(&mut Root, u64)) {
        let mut state = self.state.write();
        let generation = state.generation + 1;
        if let Some((root, _)) = state.roots.get_mut(&id) {
            change(root, generation);
        }
        self.advance(&mut state);
    }

    fn advance(&self, state: &mut State) {
        state.generation += 1;
        self.generation.store(state.generation, Ordering::Relaxed);
    }
}

impl State {
    fn vouches<'a>(&self, since: u64, paths: impl IntoIterator<Item = &'a Path>) -> bool {
        let vouched = |path| self.roots.values().any(|(root, _)| root.vouches(path, since));
        !self.roots.is_empty() && paths.into_iter().all(vouched)
    }
}
