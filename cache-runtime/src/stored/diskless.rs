//! What stands for the disk tier in a program without it.

use super::{Address, Glanced, Heard, Keep, KeptBy, Loaded, Stored};
use crate::culprit::Blame;
use crate::lookup::Miss;
use std::convert::Infallible;
use std::future::Ready;
use std::time::Duration;

pub(crate) type OnDisk = Nothing;
pub(crate) type Lease = Infallible;
pub(crate) type MachineStamp = Infallible;
pub(crate) type Delivery = Ready<()>;

#[derive(Clone, Debug)]
pub(crate) enum Nothing {}

/// Reads that are made together.
pub(crate) struct Together;

impl Together {
    pub(crate) fn begin() -> Self {
        Self
    }
}

#[expect(dead_code, reason = "there are no leases to be had")]
pub(crate) enum Leased {
    Taken(Lease),
    Held,
    Unavailable,
}

impl Nothing {
    pub(crate) fn hear(&self) {
        match *self {}
    }
}

#[expect(clippy::unused_self, reason = "the same where there is a disk tier")]
impl KeptBy {
    pub(super) fn hear_machine(&self) {}
}

#[expect(clippy::unused_self, reason = "the same where there is a disk tier")]
impl<V> Stored<V> {
    pub(crate) fn find(&self, _: &Address) -> Result<Loaded<V>, Miss> {
        Err(Miss::Absent)
    }

    pub(crate) fn find_latest(&self, _: &Address, _: Duration) -> Result<Loaded<V>, Miss> {
        Err(Miss::Absent)
    }

    pub(super) fn survey(&self, _: &Address, _: Duration, _: &Blame) -> Result<Loaded<V>, Miss> {
        Err(Miss::Absent)
    }

    pub(crate) fn glance(&self, _: &Address) -> Result<Glanced<V>, Miss> {
        Err(Miss::Absent)
    }

    pub(crate) fn heard(&self) -> Heard {
        Heard::NotAsked
    }

    pub(crate) fn lease(&self, _: &Address) -> Leased {
        Leased::Unavailable
    }

    pub(crate) fn keep(&self, _: Keep<'_>) -> Option<Delivery> {
        None
    }
}
