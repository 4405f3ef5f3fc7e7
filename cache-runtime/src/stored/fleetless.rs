//! What stands for the shared tier in a program without it.

use super::{KeptBy, Stored};

#[derive(Clone)]
pub(crate) enum OnFleet {}

pub(crate) enum Consignment {}

#[derive(Default)]
pub(super) struct Remembered {}

pub(super) fn vouches(fleet: Option<&OnFleet>) -> bool {
    fleet.is_none()
}

#[expect(clippy::unused_self, reason = "the same where there is one")]
impl KeptBy {
    pub(super) fn jealous_fleet(&self) -> Option<&OnFleet> {
        None
    }
}

#[expect(clippy::unused_self, reason = "the same where there is one")]
impl<V> Stored<V> {
    pub(crate) fn is_on_fleet(&self) -> bool {
        false
    }
}
