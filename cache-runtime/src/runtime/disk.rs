//! The disk tier of a runtime: made when something first needs it, told of every invalidation, and
//! heard.

use super::{Inner, Runtime};
use crate::error::{Error, ErrorKind, Level};
use crate::site::Site;
use crate::target::Target;
use crate::tier::disk::{Disk, Heard, LIMIT, Listener, Place};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};

/// What is said of the disk tier, and the tier once there is one.
#[derive(Default)]
pub(crate) struct DiskOf {
    pub(crate) directory: Option<PathBuf>,
    pub(crate) limit: Option<u64>,
    disk: OnceLock<Option<Arc<Disk>>>,
}

impl DiskOf {
    pub(crate) fn new(directory: Option<PathBuf>, limit: Option<u64>) -> Self {
        Self { directory, limit, ..Self::default() }
    }

    /// Where the tier is, or would be.
    pub(crate) fn place(&self, namespace: &str) -> Result<Place, Error> {
        Place::find(self.directory.as_deref(), namespace)
    }
}

impl Runtime {
    /// The disk tier, made now if there is none. Nothing if there is no place for it.
    pub(crate) fn disk(&self) -> Option<Arc<Disk>> {
        let of = &self.inner.disk;
        let make = || {
            let made = of.place(&self.inner.namespace).and_then(|place| {
                let listener = Box::new(Ear(Arc::downgrade(&self.inner)));
                let limit = of.limit.unwrap_or(LIMIT);
                Disk::new(place, limit, self.inner.time.clone(), listener).map_err(|error| {
                    Error::at(Level::L2, ErrorKind::Configuration, error.to_string())
                })
            });
            made.inspect_err(|error| log::warn!("there is no disk tier: {error}")).ok()
        };
        of.disk.get_or_init(make).clone()
    }

    /// The disk tier, for a function that is kept there.
    pub(super) fn disk_of(&self, site: &'static Site) -> Option<Arc<Disk>> {
        site.options.reaches(Level::L2).then(|| self.disk()).flatten()
    }

    /// The disk tier, if this program has anything to do with one.
    pub(super) fn disk_if_any(&self) -> Option<Arc<Disk>> {
        let of = &self.inner.disk;
        if let Some(known) = of.disk.get() {
            return known.clone();
        }
        let is_meant =
            of.directory.is_some() || Place::is_in_environment() || Site::is_any_on_disk();
        is_meant.then(|| self.disk()).flatten()
    }

    /// Tells all processes of the machine of an invalidation.
    pub(super) fn tell_machine(&self, target: &Target) -> Result<(), Error> {
        self.disk_if_any().map_or(Ok(()), |disk| disk.record(target))
    }

    pub(super) async fn close_disk(&self) -> Result<(), Error> {
        let Some(Some(disk)) = self.inner.disk.disk.get() else { return Ok(()) };
        disk.flush().await;
        if disk.are_any_waiting() {
            return Err(Error::at(
                Level::L2,
                ErrorKind::Pending,
                "invalidations wait for the disk tier, which can't be reached",
            ));
        }
        Ok(())
    }
}

/// The ear of a runtime, which must not keep it.
struct Ear(Weak<Inner>);

impl Listener for Ear {
    fn hear(&self, heard: Heard<'_>) {
        let Some(inner) = self.0.upgrade() else { return };
        let runtime = Runtime { inner };
        match heard {
            Heard::Invalidated(target) => runtime.note(target),
            Heard::Lost => runtime.forget_kept_in(Level::L2),
        }
    }

    fn settle(&self) {
        self.0.upgrade().iter().for_each(Inner::settle);
    }
}
