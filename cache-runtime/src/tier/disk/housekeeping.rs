//! What the tier's thread does between writes: looks for the log, lets go of what reads keep open,
//! makes room, sweeps, and copies the store's log to its file when writing has ceased.
//!
//! 1. A sweep's stamp is read inside a transaction: what is stored before it is seen by the sweep,
//!    and what is stored after it was found valid at a later reading.
//! 2. One process sweeps at a time; when it dies, another begins anew.
//! 3. Every step is short, so that what is to be written does not wait; but for copying the log, which
//!    is done when there is nothing to write.

use super::Core;
use super::fault::guarded;
use super::lease::{Lease, Taken};
use super::machine::MachineStamp;
use super::opened::{Opened, cut_short};
use super::parcel;
use super::store::Fault;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows looked at in one step of a sweep.
const ROWS: usize = 512;
/// How much of an envelope is read at first: names are few as a rule.
const HEAD: usize = 1_024;
/// The id of the lease on sweeping.
const SWEEPER: u64 = u64::MAX;

/// How long nothing must have been written before the store's log is copied to its file, and the
/// least time from one copy to the next: each waits for the disk twice.
const QUIET: Duration = Duration::from_millis(200);
const BETWEEN: Duration = Duration::from_secs(2);
/// How long reads are taken to go on after they kept something open.
const READ_LATELY: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct House {
    sweep: Option<Sweep>,
    is_full: bool,
    /// When reads kept something open last.
    reads_seen: Option<Instant>,
    settling: Option<Settling>,
}

/// How far the store's log has been copied to its file.
struct Settling {
    opened: Arc<Opened>,
    /// The changes that were there when it was last looked, and since when there are no more.
    changes: u64,
    since: Instant,
    /// Whether all of them have been copied. At first there may be what other processes left.
    is_done: bool,
    tried: Option<Instant>,
}

struct Sweep {
    opened: Arc<Opened>,
    stamp: MachineStamp,
    after: Option<u64>,
    _lease: Lease,
}

impl House {
    /// Whether there is more to do than can wait.
    pub(super) fn is_busy(&self) -> bool {
        self.is_full || self.sweep.is_some()
    }

    /// Whether reads have kept something open lately.
    pub(super) fn is_read(&self) -> bool {
        self.reads_seen.is_some_and(|seen| seen.elapsed() < READ_LATELY)
    }

    /// Ends what reads keep open: the writers of other processes may wait for it.
    pub(super) fn close_reads(&mut self, core: &Core) {
        // Even of a store that is not used any more.
        let opened = core.opened.read().clone();
        if let Ok(true) = guarded(|| opened.is_some_and(|it| it.store.release())) {
            self.reads_seen = Some(Instant::now());
        }
    }

    pub(super) fn look_after(&mut self, core: &Core) {
        core.machine.check_place();
        core.catch_up();
        core.machine.tidy();
        let Some(opened) = core.opened_already() else {
            *self = Self::default();
            return;
        };
        let faulty = guarded(|| {
            self.make_room(core, &opened)?;
            self.sweep(core, &opened)
        });
        let settled = match faulty {
            Ok(Ok(())) if self.sweep.is_some() => return,
            Ok(Ok(())) => guarded(|| self.settle(&opened)),
            faulty => {
                *self = Self::default();
                faulty
            }
        };
        match settled {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => core.fail(&opened, &fault),
            Err(_) => core.fail(&opened, &cut_short()),
        }
    }

    fn make_room(&mut self, core: &Core, opened: &Opened) -> Result<(), Fault> {
        let now = u64::try_from(core.time.wall().as_nanos()).unwrap_or(u64::MAX);
        self.is_full = opened.store.make_room(now)?.more;
        Ok(())
    }

    fn sweep(&mut self, core: &Core, opened: &Arc<Opened>) -> Result<(), Fault> {
        if self.sweep.as_ref().is_some_and(|it| it.stamp.incarnation != opened.incarnation) {
            self.sweep = None;
        }
        if self.sweep.is_none() && core.machine.is_sweep_due() {
            self.sweep = Sweep::begin(core, opened)?;
        }
        let Some(sweep) = &mut self.sweep else { return Ok(()) };
        if sweep.step(core)? {
            core.machine.note_sweep(sweep.stamp);
            self.sweep = None;
        }
        Ok(())
    }

    fn settle(&mut self, opened: &Arc<Opened>) -> Result<(), Fault> {
        if self.settling.as_ref().is_some_and(|it| !Arc::ptr_eq(&it.opened, opened)) {
            self.settling = None;
        }
        self.settling.get_or_insert_with(|| Settling::new(opened)).step()
    }
}

impl Settling {
    fn new(opened: &Arc<Opened>) -> Self {
        Self {
            opened: Arc::clone(opened),
            changes: opened.store.changes(),
            since: Instant::now(),
            is_done: false,
            tried: None,
        }
    }

    fn step(&mut self) -> Result<(), Fault> {
        let changes = self.opened.store.changes();
        if changes != self.changes {
            (self.changes, self.since, self.is_done) = (changes, Instant::now(), false);
        }
        let is_late = self.tried.is_none_or(|tried| tried.elapsed() >= BETWEEN);
        if !self.is_done && is_late && self.since.elapsed() >= QUIET {
            self.tried = Some(Instant::now());
            self.is_done = self.opened.store.settle()?;
        }
        Ok(())
    }
}

impl Sweep {
    fn begin(core: &Core, opened: &Arc<Opened>) -> Result<Option<Self>, Fault> {
        let Taken::Lease(lease) = opened.leases.try_take(SWEEPER) else { return Ok(None) };
        let stamp = opened.store.batch(|_| {
            core.catch_up();
            Ok(core.machine.now())
        })?;
        Ok(stamp.filter(|stamp| stamp.incarnation == opened.incarnation).map(|stamp| Self {
            opened: Arc::clone(opened),
            stamp,
            after: None,
            _lease: lease,
        }))
    }

    /// Looks at some rows, and removes those that are not valid. Says whether these were the last.
    fn step(&mut self, core: &Core) -> Result<bool, Fault> {
        let store = &self.opened.store;
        let rows = store.scan(self.after, ROWS, HEAD)?;
        let Some(last) = rows.last() else { return Ok(true) };
        self.after = Some(last.id);
        let mut invalid = Vec::new();
        for row in &rows {
            let more = |length| Ok(store.read_prefix(row.id, length)?.unwrap_or_default());
            let head = parcel::head(&row.prefix, more)?;
            let valid = head.is_some_and(|(stamp, about)| {
                // Nobody else sweeps meanwhile.
                let swept = core.machine.swept(self.opened.incarnation);
                let stamp = swept.map(|swept| self.opened.stamp_as_of(stamp, swept));
                stamp.is_some_and(|stamp| core.machine.vouches_for(&about, stamp))
            });
            if !valid {
                invalid.push((row.id, row.stamp));
            }
        }
        if !invalid.is_empty() {
            store.batch(|batch| {
                for (id, stamp) in invalid {
                    batch.remove_if(id, stamp)?;
                }
                Ok(())
            })?;
        }
        Ok(false)
    }
}
