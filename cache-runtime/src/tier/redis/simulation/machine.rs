//! A machine: what its processes share, and what outlives them.
//!
//! 1. What is recorded on it, all of its processes know at once: they look before they serve.
//! 2. A copy on its disk is valid by its own clock, which no server's word moves.
//! 3. What waits in its journal is there until somebody has delivered it, whoever that is.

use super::oracle::Oracle;
use super::time::{Owner, Time};
use super::values::{Call, Value};
use crate::entry::{About, Stamp};
use crate::sync::Mutex;
use crate::target::Target;
use crate::versions::Versions;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Machine {
    number: usize,
    /// Whether there is a disk to keep anything on. Without, its processes know nothing of each other.
    has_disk: bool,
    time: Arc<Time>,
    oracle: Arc<Oracle>,
    versions: Versions,
    copies: Mutex<BTreeMap<Call, Copy>>,
    state: Mutex<State>,
}

/// What its disk has of a value.
#[derive(Clone)]
pub(super) struct Copy {
    pub(super) value: Arc<Value>,
    pub(super) about: Arc<About>,
    /// The machine's clock before the value was asked for.
    pub(super) heard: Stamp,
    pub(super) expires: Duration,
}

#[derive(Default)]
struct State {
    processes: Vec<(Owner, Arc<Versions>)>,
    next: u64,
    journal: Vec<Waiting>,
}

/// An invalidation that waits to be delivered.
struct Waiting {
    number: u64,
    target: Target,
    /// Which one it is.
    which: Option<usize>,
}

impl Machine {
    pub(super) fn new(number: usize, (time, oracle): (&Arc<Time>, &Arc<Oracle>)) -> Arc<Self> {
        let (time, oracle) = (Arc::clone(time), Arc::clone(oracle));
        let has_disk = time.chance(70);
        let (versions, copies) = (Versions::default(), Mutex::default());
        Arc::new(Self { number, has_disk, time, oracle, versions, copies, state: Mutex::default() })
    }

    pub(super) fn begin(&self, owner: Owner, versions: &Arc<Versions>) {
        if self.has_disk {
            self.state.lock().processes.push((owner, Arc::clone(versions)));
            self.oracle.lives_on(owner, self.number);
        }
    }

    pub(super) fn end(&self, owner: Owner) {
        self.state.lock().processes.retain(|(it, _)| *it != owner);
    }

    /// Has all of its processes know of an invalidation.
    pub(super) fn record(&self, target: &Target) {
        self.versions.record(target, None::<fn() -> Option<Stamp>>);
        for (_, versions) in &self.state.lock().processes {
            versions.record(target, None::<fn() -> Option<Stamp>>);
        }
    }

    /// The machine's clock.
    pub(super) fn now(&self) -> Stamp {
        self.versions.now()
    }

    pub(super) fn keep(&self, call: Call, copy: Copy) {
        if self.has_disk && call.function.is_on_disk() {
            let mut copies = self.copies.lock();
            if copies.get(&call).is_none_or(|it| it.heard <= copy.heard) {
                copies.insert(call, copy);
            }
        }
    }

    /// What may be served as far as this machine knows.
    pub(super) fn copy(&self, call: Call) -> Option<Copy> {
        let copy = self.copies.lock().get(&call).cloned()?;
        let is_valid = copy.expires > self.time.now()
            && self.versions.check(&copy.about, copy.heard).is_some();
        is_valid.then_some(copy)
    }

    /// Keeps an invalidation, if it can.
    pub(super) fn postpone(&self, by: Owner, target: &Target) -> bool {
        if self.has_disk {
            let mut state = self.state.lock();
            let (number, target) = (state.next, target.clone());
            state.next += 1;
            let which = self.oracle.postponed(by, &format!("{target:?}"));
            state.journal.push(Waiting { number, target, which });
        }
        self.has_disk
    }

    pub(super) fn postponed(&self) -> Vec<(u64, Target)> {
        let state = self.state.lock();
        state.journal.iter().map(|it| (it.number, it.target.clone())).collect()
    }

    /// Takes out what was delivered.
    pub(super) fn forget(&self, numbers: &[u64]) {
        let mut state = self.state.lock();
        let delivered = state.journal.extract_if(.., |it| numbers.contains(&it.number));
        for which in delivered.filter_map(|it| it.which) {
            self.oracle.takes_effect(which, self.time.now());
        }
    }
}
