//! Opening the tier's directory, and trying again later if it can't be.

use super::fault::{faults, guarded};
use super::lease::Leases;
use super::log::Incarnation;
use super::machine::MachineStamp;
use super::members::Members;
use super::owned::Refusal;
use super::store::{Fault, Store};
use super::{Core, machine};
use crate::entry::Stamp;
use crate::sync::Mutex;
use rustix::fs::FlockOperation;
use std::fs::{self, File};
use std::io;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

/// How long nothing more is said of what goes wrong with what is open.
const QUIET: Duration = Duration::from_secs(60);

/// Where a damaged store is set aside, and for how long it is kept there.
const DAMAGED: &str = "damaged.db";
const KEPT_ASIDE: Duration = Duration::from_secs(24 * 60 * 60);

/// What there is in a directory that is open.
pub(super) struct Opened {
    pub(super) incarnation: Incarnation,
    pub(super) store: Closing<Store>,
    pub(super) leases: Leases,
    pub(super) members: Mutex<Members>,
    /// How many pages of mapped files had failed when it was opened.
    faults: u64,
}

impl Opened {
    /// A stamp of this incarnation.
    pub(super) fn stamp(&self, at: u64) -> MachineStamp {
        MachineStamp { incarnation: self.incarnation, at: Stamp(at) }
    }

    /// The stamp of what was seen in the store after a sweep.
    pub(super) fn stamp_as_of(&self, at: u64, swept: Stamp) -> MachineStamp {
        self.stamp(at.max(swept.0))
    }
}

/// What is dropped in a guarded section: the last connection to a store reads its file and log once
/// more as it is closed.
pub(super) struct Closing<T>(Option<T>);

impl<T> Deref for Closing<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is there until this is dropped")
    }
}

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        let inner = self.0.take();
        let _ = guarded(|| drop(inner));
    }
}

/// How often opening has failed, and when last.
#[derive(Default)]
pub(super) struct Opening {
    failures: u32,
    last: Option<Instant>,
}

/// The fault of a store whose file was made shorter while it was read.
pub(super) fn cut_short() -> Fault {
    Fault::Damaged("its file has become shorter".into())
}

impl Core {
    /// What is open, if it is.
    pub(super) fn opened_already(&self) -> Option<Arc<Opened>> {
        // A page that failed is zeros for every connection that maps it: new ones map it anew.
        let is_sound = |opened: &Arc<Opened>| opened.faults == faults();
        self.opened.read().clone().filter(is_sound).filter(|_| self.machine.is_attached())
    }

    /// What is open, opened now if that may be tried.
    pub(super) fn opened(&self) -> Option<Arc<Opened>> {
        self.opened_already().or_else(|| self.reopen())
    }

    #[cold]
    fn reopen(&self) -> Option<Arc<Opened>> {
        let mut opening = self.opening.lock();
        self.catch_up();
        if let Some(opened) = self.opened_already() {
            return Some(opened);
        }
        let patience = Self::patience(opening.failures);
        if opening.failures > 0 && opening.last.is_some_and(|last| last.elapsed() < patience) {
            return None;
        }
        *self.opened.write() = None;
        match self.open() {
            Ok(opened) => {
                if opening.failures > 0 {
                    log::info!("the disk tier at {} is open again", self.place.path().display());
                }
                *opening = Opening::default();
                if self.has_house.load(Ordering::Relaxed) {
                    opened.store.tend();
                }
                let opened = Arc::new(opened);
                *self.opened.write() = Some(Arc::clone(&opened));
                Some(opened)
            }
            Err(fault) => {
                if opening.failures == 0 {
                    log::warn!(
                        "the disk tier at {} can't be used, so calls do without it: {fault}",
                        self.place.path().display()
                    );
                }
                opening.failures += 1;
                opening.last = Some(Instant::now());
                None
            }
        }
    }

    fn open(&self) -> io::Result<Opened> {
        let directory = self.place.prepare().map_err(|refusal| match refusal {
            Refusal::Rule(error) => io::Error::other(error),
            Refusal::Io(what, error) => io::Error::other(format!("{what}: {error}")),
        })?;
        let directory = directory.path();
        // Let go with the file: one process at a time opens what is in it.
        let alone = File::open(directory)?;
        rustix::io::retry_on_intr(|| rustix::fs::flock(&alone, FlockOperation::LockExclusive))?;
        let opened = self.open_in(directory);
        opened.or_else(|error| {
            // Whatever it was may be of the one incarnation; with a new one all files are new.
            if !error.is_damage {
                return Err(error.source);
            }
            self.open_in(directory).map_err(|error| error.source)
        })
    }

    fn open_in(&self, path: &Path) -> Result<Opened, Failed> {
        let incarnation = self.machine.attach(path)?;
        let opened = self.open_beside(path, incarnation).and_then(|opened| {
            self.deliver().map_err(|what| Failed::from(io::Error::other(what)))?;
            Ok(opened)
        });
        match &opened {
            Ok(_) => {}
            // Others may have files of it open that will not be found by this name any more.
            Err(failed) if failed.is_damage => {
                self.machine.retire(incarnation, |heard| self.listener.hear(heard));
            }
            Err(_) => self.machine.detach(|heard| self.listener.hear(heard)),
        }
        opened
    }

    fn open_beside(&self, path: &Path, incarnation: Incarnation) -> Result<Opened, Failed> {
        let faults = faults();
        let name = file_of(incarnation);
        clear_others(path, &name);
        let store = guarded(|| Store::open(&path.join(&name), self.limit));
        let store = match store {
            Ok(Ok(store)) => store,
            Ok(Err(Fault::Damaged(what))) => return Err(self.condemn(path, incarnation, &what)),
            Ok(Err(fault)) => return Err(io::Error::other(fault.to_string()).into()),
            Err(_) => return Err(self.condemn(path, incarnation, "it is cut short")),
        };
        let leases = Leases::open(&path.join("leases"))?;
        let members = Mutex::new(Members::join(&path.join("members"))?);
        Ok(Opened { incarnation, store: Closing(Some(store)), leases, members, faults })
    }

    /// Records what waited for the machine to be reached, before anything is read.
    fn deliver(&self) -> Result<(), &'static str> {
        let mut waiting = self.waiting.lock();
        for target in &*waiting {
            let recorded = self.machine.record(&machine::items(target));
            recorded.map_err(|_| "what has been invalidated meanwhile can't be recorded")?;
        }
        waiting.clear();
        Ok(())
    }

    /// Sets a damaged store aside, and says so. Several who use it may find out at once, and before it
    /// is retired others may open it again: the first of them does so.
    fn condemn(&self, path: &Path, incarnation: Incarnation, what: &str) -> Failed {
        let failed = Failed { source: io::Error::other(what.to_owned()), is_damage: true };
        let name = file_of(incarnation);
        let mut condemned = self.condemned.lock();
        if condemned.replace(incarnation) == Some(incarnation) {
            return failed;
        }
        // From now on it is kept for a while.
        let touch = |file: File| file.set_modified(SystemTime::now());
        let _ = File::options().write(true).open(path.join(&name)).and_then(touch);
        // If it can't be moved away, it stays where no process looks for it any more.
        let _ = fs::rename(path.join(&name), path.join(DAMAGED));
        drop(condemned);
        log::warn!(
            "the store {name} of the disk tier in {} is damaged, so it is set aside as `damaged.db` \
             and everything in it is computed again: {what}",
            path.display()
        );
        failed
    }

    /// Deals with a fault of the store.
    pub(super) fn fail(&self, opened: &Opened, fault: &Fault) {
        // Its files are removed by whoever has replaced its log.
        self.machine.check_place();
        self.catch_up();
        if self.machine.incarnation() != Some(opened.incarnation) {
            return;
        }
        let what = match fault {
            Fault::Damaged(what) => what,
            Fault::Unavailable(_) => return self.complain(fault),
            // The store makes room by itself; the disk does not.
            Fault::Full(_) if !self.place.has_room() => return self.complain(fault),
            Fault::Busy(_) if opened.store.is_crowded() => return self.complain(fault),
            Fault::Full(_) | Fault::Busy(_) => return,
        };
        self.condemn(&self.place.path(), opened.incarnation, what);
        self.machine.retire(opened.incarnation, |heard| self.listener.hear(heard));
    }
}

impl Core {
    /// Says what is wrong with what is open: as long as it lasts, once in a while.
    fn complain(&self, fault: &Fault) {
        let mut complained = self.complained.lock();
        if complained.is_none_or(|last| last.elapsed() >= QUIET) {
            *complained = Some(Instant::now());
            log::warn!(
                "the disk tier at {} can't be used as it should, so some calls do without it: {fault}",
                self.place.path().display()
            );
        }
    }
}

/// Why a directory could not be opened.
struct Failed {
    source: io::Error,
    /// With all files new it may go better.
    is_damage: bool,
}

impl From<io::Error> for Failed {
    fn from(source: io::Error) -> Self {
        Self { source, is_damage: false }
    }
}

/// What the store of an incarnation is called.
fn file_of(incarnation: Incarnation) -> String {
    format!("store-{incarnation}.db")
}

/// Removes the stores of earlier incarnations: nothing in them is valid. What was set aside stays for a
/// day, for who wants to look at it.
fn clear_others(path: &Path, current: &str) {
    let Ok(files) = fs::read_dir(path) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let set_aside = || file.metadata().ok()?.modified().ok()?.elapsed().ok();
        let is_old = name == DAMAGED && set_aside().is_some_and(|since| since >= KEPT_ASIDE);
        if name.starts_with("store-") && !name.starts_with(current) || is_old {
            let _ = fs::remove_file(file.path());
        }
    }
}

impl Core {
    /// Everything has been written: what this process knows of it is made to last.
    pub(super) fn finish(&self) {
        let Some(opened) = self.opened_already() else { return };
        let mut members = opened.members.lock();
        let Ok(Some(_alone)) = members.alone() else {
            // Who stays reads from the file at less cost than from the log.
            let _ = guarded(|| opened.store.settle());
            return;
        };
        let written = guarded(|| opened.store.checkpoint());
        if let Ok(Ok(())) = written {
            // Should it fail, the next boot starts cold.
            let _ = self.machine.close_cleanly();
        }
    }
}
