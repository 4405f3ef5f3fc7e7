//! How the values of one function are kept beyond this process: under which name and address, in
//! which bytes, and for how long.
//!
//! 1. Two functions, or two instantiations of one, that would have one name beyond this process
//!    never share it: the second stays in memory (K3).
//! 2. What can't be said in canonical bytes stays in memory, and depends on the mark of any key of
//!    its function, which every invalidation of one records (C2).
//! 3. A value is kept, in memory too, only if the machine was heard when its computation began.

mod address;
mod bytes;
#[cfg_attr(not(feature = "disk"), path = "diskless.rs")]
mod disk;
#[cfg_attr(not(feature = "redis"), path = "fleetless.rs")]
mod fleet;
mod identity;
mod key;
mod value;

pub(crate) use self::address::Address;
pub(crate) use self::disk::{Delivery, Lease, Leased, MachineStamp, OnDisk, Together};
#[cfg(feature = "redis")]
pub(crate) use self::fleet::{Asking, Fault, Granted, Patience, at_once};
pub(crate) use self::fleet::{Consignment, OnFleet};
pub(crate) use self::identity::{Identity, stand_in};
pub use self::key::{StorablePart, StoredPart, StoredView};
pub use self::value::{FormatOf, Storable};

use self::bytes::Bytes;
pub(crate) use self::bytes::Packed;
use crate::clock::{Moment, TimeSource};
use crate::codec::Format;
use crate::codec::canonical::Unencodable;
use crate::counters::Counters;
use crate::culprit::{Blame, Culprit};
use crate::entry::About;
use crate::error::Level;
use crate::lookup::Miss;
use crate::mark::{Mark, beyond};
use crate::site::Site;
use std::sync::Arc;
use std::time::Duration;

/// What tells of the invalidations of other processes.
pub(crate) struct Ear {
    disk: Option<OnDisk>,
    /// Asked for each hit only where memory is not to be served unheard.
    fleet: Option<OnFleet>,
}

impl Ear {
    /// Hears what there is to hear. False if what is in memory may not be served for now.
    #[inline]
    pub(crate) fn hear(&self) -> bool {
        if let Some(disk) = &self.disk {
            disk.hear();
        }
        fleet::vouches(self.fleet.as_ref())
    }
}

/// What a call says of itself where its function is kept beyond this process.
pub(crate) struct Beyond<'a, V> {
    pub(crate) format: Format<V>,
    /// Writes the key's canonical form.
    pub(crate) key: &'a dyn Fn(&mut Vec<u8>) -> Result<(), Unencodable>,
}

/// One function, as it is kept beyond this process.
pub(crate) struct Stored<V> {
    site: &'static Site,
    identity: Identity,
    bytes: Bytes<V>,
    /// Another function has its name.
    stays: bool,
    kept: KeptBy,
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no such tier"))]
    remembered: fleet::Remembered,
}

/// What of its runtime a function needs to be kept beyond memory.
pub(crate) struct KeptBy {
    pub(crate) disk: Option<OnDisk>,
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "there is no such tier"))]
    pub(crate) fleet: Option<OnFleet>,
    pub(crate) time: TimeSource,
    pub(crate) counters: Arc<Counters>,
}

/// One key of a function, for whoever has no call of it.
pub(crate) struct Outside<V> {
    pub(crate) identity: Identity,
    /// In its canonical form.
    pub(crate) key: Vec<u8>,
    pub(crate) format: Format<V>,
}

/// What a computation heard of the machine as it began.
#[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "there is no disk tier"))]
#[derive(Clone, Copy)]
pub(crate) enum Heard {
    /// Its function is not kept on the disk.
    NotAsked,
    /// What is computed now is not for keeping.
    Nothing,
    /// What its clock showed.
    Clock(MachineStamp),
}

/// What one tier has, or why it has nothing, and what overtook that.
pub(crate) type Looked<V> = (Level, Result<Loaded<V>, Miss>, Option<Culprit>);

/// A value that was read.
pub(crate) struct Loaded<V> {
    pub(crate) value: V,
    pub(crate) about: About,
    pub(crate) expires: Moment,
    /// As it was read, where it may be kept nearer.
    pub(crate) packed: Option<Packed>,
}

/// A value that was read for its caller alone.
pub(crate) struct Glanced<V> {
    pub(crate) value: V,
    pub(crate) age: Duration,
    #[cfg_attr(not(feature = "redis"), expect(dead_code, reason = "the disk is asked for more"))]
    pub(crate) expires: Moment,
}

/// A value to be kept on the disk.
#[cfg_attr(not(feature = "disk"), expect(dead_code, reason = "there is no disk tier"))]
pub(crate) struct Keep<'a> {
    pub(crate) address: &'a Address,
    pub(crate) packed: &'a Packed,
    pub(crate) about: &'a About,
    pub(crate) expires: Moment,
    pub(crate) stamp: MachineStamp,
    pub(crate) lease: Option<Lease>,
}

impl KeptBy {
    /// So much of a span as its clock can tell by now: what was longer ago is before its origin.
    pub(crate) fn tellable(&self, span: Duration) -> Duration {
        span.min(Duration::from_nanos(self.time.now().nanos()))
    }

    /// Hears what other processes have invalidated. False if what is in memory may not be served for
    /// now.
    pub(crate) fn hear(&self) -> bool {
        self.hear_machine();
        fleet::vouches(self.jealous_fleet())
    }
}

impl<V> Outside<V> {
    /// What the key's invalidation records.
    pub(crate) fn mark(&self) -> Mark {
        beyond::key(&self.identity.keys, &self.key)
    }

    /// Reads what each tier has for the key, also if its time is over and it may be served yet.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, reason = "the shared tier is waited for")
    )]
    pub(crate) async fn survey(&self, site: &'static Site, kept: KeptBy) -> Vec<Looked<V>>
    where
        V: Send + Sync,
    {
        let stored = Stored::new(site, self.identity, self.format, false, kept);
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(&self.key);
            Ok(())
        };
        let mut found = Vec::new();
        let Some(address) = stored.address_of(&write) else { return found };
        let linger = site.options.linger();
        if stored.kept.disk.is_some() {
            let blame = Blame::new();
            let looked = stored.survey(&address, linger, &blame);
            found.push((Level::L2, looked, blame.into_inner()));
        }
        #[cfg(feature = "redis")]
        if let Some(fleet) = stored.fleet() {
            let blame = Blame::new();
            let looked = stored.peek_at_fleet(fleet, &address, (linger, Some(&blame))).await;
            found.push((Level::L3, looked, blame.into_inner()));
        }
        found
    }

    /// Reads what is kept for the key, and says in which tier.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, reason = "the shared tier is waited for")
    )]
    pub(crate) async fn find(
        &self,
        site: &'static Site,
        kept: KeptBy,
    ) -> Result<(Level, Loaded<V>), Miss>
    where
        V: Send + Sync,
    {
        let stored = Stored::new(site, self.identity, self.format, false, kept);
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(&self.key);
            Ok(())
        };
        let address = stored.address_of(&write).ok_or(Miss::Absent)?;
        #[cfg(feature = "redis")]
        if let Some(fleet) = stored.fleet() {
            return stored.peek(fleet, &address).await;
        }
        stored.find(&address).map(|loaded| (Level::L2, loaded))
    }
}

impl<V> Stored<V> {
    pub(crate) fn new(
        site: &'static Site,
        identity: Identity,
        format: Format<V>,
        stays: bool,
        kept: KeptBy,
    ) -> Self {
        Self {
            site,
            identity,
            bytes: Bytes::new(format, site),
            stays,
            kept,
            remembered: fleet::Remembered::default(),
        }
    }

    /// What tells of the invalidations of other processes, if there is anything to listen to.
    pub(crate) fn ear(&self) -> Option<Ear> {
        let (disk, fleet) = (self.kept.disk.clone(), self.kept.jealous_fleet().cloned());
        (disk.is_some() || fleet.is_some()).then_some(Ear { disk, fleet })
    }

    /// Hears what other processes have invalidated. False if what is in memory may not be served for
    /// now.
    pub(crate) fn hear(&self) -> bool {
        self.kept.hear()
    }

    /// Where a call's value belongs; nothing if it stays in memory.
    pub(crate) fn address(&self, beyond: &Beyond<'_, V>) -> Option<Address> {
        if self.stays {
            return None;
        }
        let address = self.address_of(beyond.key);
        if address.is_none() {
            self.kept.counters.bypasses_codec.add(1);
        }
        address
    }

    fn address_of(
        &self,
        write: &dyn Fn(&mut Vec<u8>) -> Result<(), Unencodable>,
    ) -> Option<Address> {
        Address::new(&self.identity, self.bytes.shape(), write)
    }

    /// A value in bytes, if it has any.
    pub(crate) fn pack(&self, value: &V) -> Option<Packed> {
        let packed = self.bytes.pack(value, self.site);
        if packed.is_none() {
            self.kept.counters.bypasses_codec.add(1);
        }
        packed
    }
}
