//! What a function keeps on this machine's disk: read, computed by one process, kept.

use super::{Address, Glanced, Heard, Keep, KeptBy, Loaded, Stored};
#[cfg(feature = "redis")]
use crate::captured::Captured;
use crate::clock::Moment;
use crate::codec::envelope::{Envelope, Header};
use crate::culprit::{Blame, Culprit};
use crate::entry::About;
use crate::lookup::Miss;
use crate::outward::{self, outward};
use crate::sync::Mutex;
use crate::tier::disk::{Disk, Parcel, Sound, State, Wanted};
use std::sync::Arc;
use std::time::Duration;

pub(crate) use crate::tier::disk::{Arrival as Delivery, Lease, Leased, MachineStamp, Together};

/// The way to the disk tier.
pub(crate) type OnDisk = Arc<Disk>;

impl KeptBy {
    /// Hears what other processes of this machine have invalidated.
    pub(super) fn hear_machine(&self) {
        self.disk.iter().for_each(|disk| disk.hear());
    }

    /// A value that was read, in moments of this process.
    fn load<V>(&self, value: V, sound: &Sound<'_>) -> Loaded<V> {
        let now = self.time.now();
        #[cfg(feature = "redis")]
        let captured = Captured::read(sound.envelope.versions).map(Arc::new);
        #[cfg(not(feature = "redis"))]
        let captured = None;
        let about = About { born: now.before(age(sound)), captured, ..sound.about() };
        Loaded { value, about, expires: end(sound, now), packed: None }
    }
}

fn age(sound: &Sound<'_>) -> Duration {
    sound.wall.saturating_sub(Duration::from_nanos(sound.envelope.header.created))
}

/// When its time is over.
fn end(sound: &Sound<'_>, now: Moment) -> Moment {
    let header = &sound.envelope.header;
    match Duration::from_nanos(header.expires) {
        _ if header.expires == u64::MAX => Moment::NEVER,
        end if end > sound.wall => now.after(end.saturating_sub(sound.wall)),
        end => now.before(sound.wall.saturating_sub(end)),
    }
}

impl<V> Stored<V> {
    /// Reads what is kept for a call.
    pub(crate) fn find(&self, address: &Address) -> Result<Loaded<V>, Miss> {
        self.read(address, |value, sound| self.kept.load(value, sound))
    }

    /// The same for who waits for another process to store it. Its time may be over for so long.
    pub(crate) fn find_latest(
        &self,
        address: &Address,
        linger: Duration,
    ) -> Result<Loaded<V>, Miss> {
        let take = |value, sound: &Sound<'_>| self.kept.load(value, sound);
        let linger = self.kept.tellable(linger);
        self.read_in(address, (State::Latest, linger), None, &take).map_err(|(miss, _)| miss)
    }

    /// The same for who wants to know what there is, and what overtook it.
    pub(super) fn survey(
        &self,
        address: &Address,
        linger: Duration,
        blame: &Blame,
    ) -> Result<Loaded<V>, Miss> {
        let take = |value, sound: &Sound<'_>| self.kept.load(value, sound);
        let linger = self.kept.tellable(linger);
        let read = self.read_in(address, (State::Latest, linger), Some(blame), &take);
        read.map_err(|(miss, _)| miss)
    }

    /// The same where nobody asks what the value depends on.
    pub(crate) fn glance(&self, address: &Address) -> Result<Glanced<V>, Miss> {
        let now = self.kept.time.now();
        let take = |value, sound: &Sound<'_>| {
            let (age, expires) = (age(sound), end(sound, now));
            Glanced { value, age, expires }
        };
        self.read(address, take)
    }

    fn read<R>(&self, address: &Address, take: impl Fn(V, &Sound<'_>) -> R) -> Result<R, Miss> {
        let found = match self.read_in(address, (State::Recent, Duration::ZERO), None, &take) {
            Err((_, State::Recent)) => {
                self.read_in(address, (State::Latest, Duration::ZERO), None, &take)
            }
            found => found,
        };
        found.map_err(|(miss, _)| miss)
    }

    fn read_in<R>(
        &self,
        address: &Address,
        (state, linger): (State, Duration),
        blame: Option<&Blame>,
        take: &impl Fn(V, &Sound<'_>) -> R,
    ) -> Result<R, (Miss, State)> {
        let (id, key, shape) = (address.id, address.key(), *self.bytes.shape());
        let wanted = Wanted { id, key, shape, linger, blame };
        let (mut found, mut files) = (None, None);
        let disk = self.kept.disk.as_ref().ok_or((Miss::Absent, State::Latest))?;
        let state = disk.read(&wanted, state, &mut |sound| {
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
        if let Some(blame) = blame {
            let _ = blame.set(Culprit::File);
        }
        // The entry is of no use, and what comes now takes its time.
        disk.let_go();
        Err((Miss::Invalidated, state))
    }

    /// The reading that a computation begins with.
    pub(crate) fn heard(&self) -> Heard {
        match &self.kept.disk {
            None => Heard::NotAsked,
            Some(disk) => disk.stamp().map_or(Heard::Nothing, Heard::Clock),
        }
    }

    pub(crate) fn lease(&self, address: &Address) -> Leased {
        self.kept.disk.as_ref().map_or(Leased::Unavailable, |disk| disk.lease(address.id))
    }

    /// Keeps a value on the disk, sooner or later.
    pub(crate) fn keep(&self, keep: Keep<'_>) -> Option<Delivery> {
        let disk = self.kept.disk.as_ref()?;
        let about = outward(keep.about);
        let (now, wall) = (self.kept.time.now(), self.kept.time.wall());
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let created = nanos(wall.saturating_sub(now.since(about.born)));
        let options = &self.site.options;
        let end = |ttl| now.after(options.spread(ttl));
        let own = options.ttl_disk.map_or(Moment::NEVER, end);
        let expires = match keep.expires.min(own) {
            Moment::NEVER => u64::MAX,
            expires => nanos(wall.saturating_add(expires.since(now))),
        };
        let header = Header {
            codec: self.bytes.format.codec(),
            compression: keep.packed.compression,
            shape: *self.bytes.shape(),
            incarnation: keep.stamp.incarnation.bytes(),
            stamp: keep.stamp.at.0,
            created,
            expires,
            weight: about.weight,
            unpacked: keep.packed.length,
        };
        let mut files = Vec::new();
        about.files.iter().for_each(|it| it.write(&mut files));
        #[cfg(feature = "redis")]
        let versions = about.captured.as_deref().map(Captured::write).unwrap_or_default();
        #[cfg(not(feature = "redis"))]
        let versions = [];
        let parts = [&files[..], keep.address.key(), &keep.packed.payload[..], &versions[..]];
        let written = outward::envelope(header, &about, parts);
        let Ok(envelope) = written else {
            self.kept.counters.evictions_oversized.add(1);
            return None;
        };
        let linger = nanos(options.linger());
        Some(disk.store(Parcel {
            id: keep.address.id,
            created,
            expires: expires.saturating_add(linger),
            stamp: keep.stamp,
            envelope,
            about,
            counters: Arc::clone(&self.kept.counters),
            lease: Mutex::new(keep.lease),
        }))
    }
}
