//! What the tier's thread does between writes: looks for the log, makes room, sweeps.
//!
//! 1. A sweep's stamp is read inside a transaction: what is stored before it is seen by the sweep,
//!    and what is stored after it was found valid at a later reading.
//! 2. One process sweeps at a time; when it dies, another begins anew.
//! 3. Every step is short, so that what is to be written does not wait.

use super::Core;
use super::fault::guarded;
use super::lease::{Lease, Taken};
use super::machine::MachineStamp;
use super::opened::{Opened, cut_short};
use super::parcel;
use super::store::Fault;
use std::sync::Arc;

/// Rows looked at in one step of a sweep.
const ROWS: usize = 512;
/// How much of an envelope is read at first: names are few as a rule.
const HEAD: usize = 1_024;
/// The id of the lease on sweeping.
const SWEEPER: u64 = u64::MAX;

#[derive(Default)]
pub(super) struct House {
    sweep: Option<Sweep>,
    is_full: bool,
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

    pub(super) fn look_after(&mut self, core: &Core) {
        core.machine.check_place();
        core.catch_up();
        core.machine.tidy();
        let Some(opened) = core.opened_already() else {
            *self = Self::default();
            return;
        };
        let faulty =
            guarded(|| self.make_room(core, &opened).and_then(|()| self.sweep(core, &opened)));
        let fault = match faulty {
            Ok(Ok(())) => return,
            Ok(Err(fault)) => fault,
            Err(_) => cut_short(),
        };
        *self = Self::default();
        core.fail(&opened, &fault);
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
            core.machine.swept(sweep.stamp);
            self.sweep = None;
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
                let stamp = core.machine.as_of_sweep(self.opened.stamp(stamp));
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
