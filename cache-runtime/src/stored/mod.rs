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
mod identity;
mod key;
mod value;

pub(crate) use self::address::Address;
pub(crate) use self::identity::{Identity, stand_in};
pub use self::key::{StorablePart, StoredPart, StoredView};
pub use self::value::{FormatOf, Storable};

use self::bytes::Bytes;
use crate::clock::{Moment, TimeSource};
use crate::codec::Format;
use crate::codec::canonical::Unencodable;
use crate::codec::envelope::{Envelope, Header};
use crate::counters::Counters;
use crate::entry::About;
use crate::lookup::Miss;
use crate::mark::{Mark, beyond};
use crate::outward::outward;
use crate::site::Site;
use crate::sync::Mutex;
use crate::tier::disk::{self, Disk, Parcel, Sound, State, Wanted};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use crate::tier::disk::{Arrival as Delivery, Lease, Leased, MachineStamp};

/// What tells of the invalidations of other processes.
pub(crate) type Ear = Arc<Disk>;

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
}

/// What of its runtime a function needs to be kept beyond memory.
pub(crate) struct KeptBy {
    pub(crate) disk: Arc<Disk>,
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

/// A value that was read.
pub(crate) struct Loaded<V> {
    pub(crate) value: V,
    pub(crate) about: About,
    pub(crate) expires: Moment,
}

/// A value that was read for its caller alone.
pub(crate) struct Glanced<V> {
    pub(crate) value: V,
    pub(crate) age: Duration,
}

/// A value to be kept.
pub(crate) struct Keep<'a, V> {
    pub(crate) address: &'a Address,
    pub(crate) value: &'a V,
    pub(crate) about: &'a About,
    pub(crate) expires: Moment,
    pub(crate) stamp: MachineStamp,
    pub(crate) lease: Option<Lease>,
}

impl KeptBy {
    /// A value that was read, in moments of this process.
    fn load<V>(&self, value: V, sound: &Sound<'_>) -> Loaded<V> {
        let (now, header) = (self.time.now(), &sound.envelope.header);
        let about = About { born: now.before(age(sound)), ..sound.about() };
        let left = Duration::from_nanos(header.expires).saturating_sub(sound.wall);
        let never = header.expires == u64::MAX;
        let expires = if never { Moment::NEVER } else { now.after(left) };
        Loaded { value, about, expires }
    }
}

fn age(sound: &Sound<'_>) -> Duration {
    sound.wall.saturating_sub(Duration::from_nanos(sound.envelope.header.created))
}

impl<V> Outside<V> {
    /// What the key's invalidation records.
    pub(crate) fn mark(&self) -> Mark {
        beyond::key(&self.identity.keys, &self.key)
    }

    /// Reads what is kept for the key.
    pub(crate) fn find(&self, site: &'static Site, kept: KeptBy) -> Result<Loaded<V>, Miss> {
        let stored = Stored::new(site, self.identity, self.format, false, kept);
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(&self.key);
            Ok(())
        };
        stored.find(&stored.address_of(&write).ok_or(Miss::Absent)?)
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
        Self { site, identity, bytes: Bytes::new(format, site), stays, kept }
    }

    pub(crate) fn ear(&self) -> Ear {
        Arc::clone(&self.kept.disk)
    }

    /// Hears what other processes have invalidated.
    pub(crate) fn hear(&self) {
        self.kept.disk.hear();
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

    /// Reads what is kept for a call.
    pub(crate) fn find(&self, address: &Address) -> Result<Loaded<V>, Miss> {
        self.read(address, |value, sound| self.kept.load(value, sound))
    }

    /// The same for who waits for another process to store it.
    pub(crate) fn find_latest(&self, address: &Address) -> Result<Loaded<V>, Miss> {
        let take = |value, sound: &Sound<'_>| self.kept.load(value, sound);
        self.read_in(address, State::Latest, &take).map_err(|(miss, _)| miss)
    }

    /// The same where nobody asks what the value depends on.
    pub(crate) fn glance(&self, address: &Address) -> Result<Glanced<V>, Miss> {
        self.read(address, |value, sound| Glanced { value, age: age(sound) })
    }

    fn read<R>(&self, address: &Address, take: impl Fn(V, &Sound<'_>) -> R) -> Result<R, Miss> {
        let found = match self.read_in(address, State::Recent, &take) {
            Err((_, State::Recent)) => self.read_in(address, State::Latest, &take),
            found => found,
        };
        found.map_err(|(miss, _)| miss)
    }

    fn read_in<R>(
        &self,
        address: &Address,
        state: State,
        take: &impl Fn(V, &Sound<'_>) -> R,
    ) -> Result<R, (Miss, State)> {
        let wanted = Wanted { id: address.id, key: address.key(), shape: *self.bytes.shape() };
        let (mut found, mut files) = (None, None);
        let state = self.kept.disk.read(&wanted, state, &mut |sound| {
            let Envelope { header, payload, .. } = &sound.envelope;
            let value = self.bytes.unpack(header.compression, header.unpacked, payload);
            found = Some(take(value.ok_or(Miss::Undecodable)?, sound));
            files.clone_from(&sound.files);
            Ok(())
        })?;
        // Outside of the store: files may be slow to look at.
        if files.is_none_or(|files| files.still_hold()) {
            return Ok(found.expect("it was shown, or there was a miss"));
        }
        // The entry is of no use, and what comes now takes its time.
        self.kept.disk.let_go();
        Err((Miss::Invalidated, state))
    }

    /// The reading that a computation begins with.
    pub(crate) fn stamp(&self) -> Option<MachineStamp> {
        self.kept.disk.stamp()
    }

    pub(crate) fn lease(&self, address: &Address) -> Leased {
        self.kept.disk.lease(address.id)
    }

    /// Keeps a value, sooner or later.
    pub(crate) fn keep(&self, keep: Keep<'_, V>) -> Delivery {
        let Some(packed) = self.bytes.pack(keep.value, self.site) else {
            self.kept.counters.bypasses_codec.add(1);
            return Delivery::now();
        };
        let about = outward(keep.about);
        let (now, wall) = (self.kept.time.now(), self.kept.time.wall());
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let created = nanos(wall.saturating_sub(now.since(about.born)));
        let expires = match keep.expires {
            Moment::NEVER => u64::MAX,
            expires => nanos(wall.saturating_add(expires.since(now))),
        };
        let header = Header {
            codec: self.bytes.format.codec(),
            compression: packed.compression,
            shape: *self.bytes.shape(),
            incarnation: keep.stamp.incarnation.bytes(),
            stamp: keep.stamp.at.0,
            created,
            expires,
            weight: about.weight,
            unpacked: packed.length,
        };
        let written = disk::envelope(header, &about, keep.address.key(), &packed.payload);
        let Ok(envelope) = written else {
            self.kept.counters.evictions_oversized.add(1);
            return Delivery::now();
        };
        self.kept.disk.store(Parcel {
            id: keep.address.id,
            created,
            expires,
            stamp: keep.stamp,
            envelope,
            about,
            counters: Arc::clone(&self.kept.counters),
            lease: Mutex::new(keep.lease),
        })
    }
}
