//! A value that comes along with others, and that nobody had asked for when its computation began.
//!
//! 1. It counts as begun when the others were.
//! 2. It takes the place of nothing that may be served.

use super::{Basis, Claim, Work};
use crate::entry::Stamp;
use crate::function::FunctionFor;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::site::Site;
use crate::stored::{Heard, Stored};
use std::sync::Arc;

/// What was known when a body began.
pub(crate) struct Before<K: OwnedKey, Kd: Kind> {
    function: Arc<FunctionFor<K, Kd>>,
    kind: Kd,
    stamp: Stamp,
    heard: Heard,
}

impl<K: OwnedKey, Kd: Kind> Before<K, Kd> {
    /// Of a body that is about to begin for some computations.
    pub(crate) fn of(works: &[Box<Work<K, Kd>>]) -> Self {
        let first = works.first().expect("nothing is computed of nothing");
        let (function, kind) = (Arc::clone(&first.function), first.kind);
        let stamp = function.memory.begin_alone();
        let heard = function.stored.as_ref().map_or(Heard::NotAsked, Stored::heard);
        Self { function, kind, stamp, heard }
    }

    /// The function whose body it is.
    pub(crate) fn site(&self) -> &'static Site {
        self.function.site
    }

    /// The computation of a value that came along.
    pub(crate) fn extra(&self, key: K, basis: Basis) -> Box<Work<K, Kd>> {
        self.function.memory.begin_alone_at(self.stamp);
        let claim = Claim::Extra { key: Some(key), stamp: self.stamp };
        let mut work = Work::begin(Arc::clone(&self.function), self.kind, basis, claim, None);
        work.heard = self.heard;
        work.told = true;
        work
    }
}

impl<K: OwnedKey, Kd: Kind> Drop for Before<K, Kd> {
    fn drop(&mut self) {
        self.function.memory.end_alone(self.stamp);
    }
}
