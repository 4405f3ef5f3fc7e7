//! What of a runtime reaches beyond its process: the tiers of a function, who has which name there, and
//! what is heard from there.

use super::{Inner, Runtime, function_marks};
use crate::counters::Counters;
use crate::entry::Stamp;
use crate::error::Level;
use crate::site::Site;
use crate::stored::KeptBy;
use crate::target::Target;
use std::any::TypeId;
use std::sync::Arc;

impl Runtime {
    /// The tiers beyond memory that a function has, if it has any.
    pub(crate) fn kept_by(&self, site: &'static Site, counters: &Arc<Counters>) -> Option<KeptBy> {
        #[cfg(feature = "disk")]
        let disk = self.disk_of(site);
        #[cfg(not(feature = "disk"))]
        let disk = None;
        #[cfg(feature = "redis")]
        let fleet = self.redis_of(site);
        #[cfg(not(feature = "redis"))]
        let fleet = None;
        let (time, counters) = (self.inner.time.clone(), Arc::clone(counters));
        let is_any = disk.is_some() || fleet.is_some();
        is_any.then_some(KeptBy { disk, fleet, time, counters })
    }

    /// Claims a name beyond this process for an instantiation; false if another has it.
    pub(crate) fn claim(&self, name: [u8; 32], instance: TypeId) -> bool {
        *self.inner.claims.lock().entry(name).or_insert(instance) == instance
    }

    /// Records what was heard, and leaves sweeping to later.
    pub(super) fn note(&self, target: &Target) {
        self.inner.versions.record(target, None::<fn() -> Option<Stamp>>);
    }

    /// What to forget when there may have been any invalidation elsewhere: everything that is kept in
    /// a tier where others could name it.
    pub(super) fn forget_kept_in(&self, tier: Level) {
        let sites = Site::all();
        let is_meant = |site: usize| sites.get(site).is_some_and(|it| it.options.reaches(tier));
        let names = self.inner.names.lock();
        let meant = names.iter().filter(|(site, _)| is_meant(*site));
        let marks = meant.flat_map(|(site, name)| function_marks(*site, name)).collect();
        drop(names);
        self.note(&Target::Any(marks));
    }
}

impl Inner {
    /// Does what was left to later.
    pub(super) fn settle(self: &Arc<Self>) {
        if self.versions.is_sweep_due() {
            Runtime { inner: Arc::clone(self) }.record_here(&Target::Any(Vec::new()));
        }
    }
}
