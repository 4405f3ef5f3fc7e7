//! What stands for the shared tier in a program without it.

use super::{Finished, OnItsWay, Work};
use crate::clock::Moment;
use crate::entry::About;
use crate::key::OwnedKey;
use crate::outcome::Kind;
use crate::stored::{Address, Consignment, Loaded, Packed, Stored};

pub(super) enum Fleet {
    NotAsked,
}

#[expect(clippy::unused_self, reason = "the same where there is one")]
impl<K: OwnedKey, Kd: Kind> Work<K, Kd> {
    pub(super) fn has_fleet(&self) -> bool {
        false
    }

    #[expect(clippy::unused_async, reason = "the same where there is one")]
    pub(super) async fn consult_fleet(
        &mut self,
        _: &Stored<Kd::Kept>,
        _: &Address,
    ) -> Option<Loaded<Kd::Kept>> {
        None
    }

    pub(super) fn may_leave(&self) -> bool {
        true
    }

    pub(super) fn is_granted(&self) -> bool {
        false
    }

    pub(super) fn consign(&mut self, _: &Packed, _: &mut About, _: Moment) -> Option<Consignment> {
        None
    }

    pub(super) fn is_witness(&self) -> bool {
        false
    }

    #[expect(clippy::unused_async, reason = "the same where there is one")]
    pub(super) async fn witness(&mut self) {}

    pub(super) fn testify(&mut self, _: &mut About) {}

    pub(super) fn permits(&self, _: bool) -> bool {
        true
    }
}

impl<K: OwnedKey, Kd: Kind> OnItsWay<K, Kd> {
    #[expect(clippy::unused_async, reason = "the same where there is one")]
    pub(crate) async fn arrive(self) -> Finished<Kd::Out> {
        match self.consignment {}
    }
}
