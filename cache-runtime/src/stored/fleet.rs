//! What a function keeps in the tier that machines share: read, computed by one process, kept.

use super::{Address, Glanced, KeptBy, Loaded, Packed, Stored, Together};
use crate::captured::Captured;
use crate::clock::Moment;
use crate::codec::envelope::{Envelope, Header};
use crate::culprit::Blame;
use crate::entry::{About, Marks, Stamp};
use crate::error::Level;
use crate::lookup::Miss;
use crate::mark::Mark;
use crate::outward::{self, outward, vouched};
use crate::sync::Mutex;
use crate::tier::redis::{Claimed, Collecting, OnPartition, Outcome, Redis, Seen, Sound, Wanted};
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use crate::tier::redis::{Fault, Lease as FleetLease, Patience, Place};

/// The way to the shared tier.
pub(crate) type OnFleet = Arc<Redis>;

/// What calls of a function were found to depend on, beyond what was declared: so many are known.
const MOST_REMEMBERED: usize = 4_096;

/// What was found last time, by address. It is captured with what is declared, next time.
#[derive(Default)]
pub(super) struct Remembered(Mutex<HashMap<u64, Marks>>);

/// One call, as the shared tier knows it.
pub(crate) struct Asking<'a> {
    address: &'a Address,
    place: Place,
    /// What is known of its value before it is computed.
    marks: Marks,
    shape: [u8; 16],
    is_part: bool,
    linger: Duration,
    blame: Option<&'a Blame>,
}

/// The right to compute, and what the value will be valid under.
pub(crate) struct Granted {
    pub(crate) lease: FleetLease,
    pub(crate) captured: Captured,
    /// What is left of the time that the call may wait.
    pub(crate) patience: Patience,
}

/// A value on its way.
pub(crate) struct Consignment {
    lease: FleetLease,
    bytes: Vec<u8>,
    ttl: Duration,
    patience: Patience,
}

/// Goes on with several calls: what they ask for at the same time goes together, and so does what they read.
///
/// # Cancellation
///
/// As safe to drop as the calls.
pub(crate) async fn at_once<F: Future>(calls: F) -> F::Output {
    let mut calls = pin!(calls);
    poll_fn(|task| {
        let (_reading, _collecting) = (Together::begin(), Collecting::begin());
        calls.as_mut().poll(task)
    })
    .await
}

/// Whether what is in memory may be served, as far as a tier has a say in that.
pub(super) fn vouches(fleet: Option<&OnFleet>) -> bool {
    fleet.is_none_or(|fleet| fleet.vouches())
}

impl Asking<'_> {
    fn wanted(&self) -> Wanted<'_> {
        let Self { address, place, marks, shape, is_part, linger, blame } = self;
        let (key, shape, is_part, linger) = (address.key(), *shape, *is_part, *linger);
        Wanted { place, marks, key, shape, is_part, is_awaited: false, linger, blame: *blame }
    }

    /// The same for a value whose time may be over for so long.
    pub(crate) fn lingering(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// The same for something that is to be kept in the tier itself, if this says so.
    pub(crate) fn for_part(self, is_part: bool) -> Self {
        Self { is_part, ..self }
    }

    pub(crate) fn address(&self) -> &Address {
        self.address
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What is known of its value before it is computed.
    pub(crate) fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// Whether the tier is worth asking.
    pub(crate) fn is_up(&self, fleet: &Redis) -> bool {
        fleet.is_up_for(&self.wanted())
    }
}

/// When its time is over.
fn end(sound: &Sound<'_>, now: Moment) -> Moment {
    if sound.left.is_zero() { now.before(sound.late) } else { now.after(sound.left) }
}

impl KeptBy {
    /// The tier, if nothing is to be served that it does not vouch for.
    pub(super) fn jealous_fleet(&self) -> Option<&OnFleet> {
        let fleet = self.fleet.as_ref();
        fleet.filter(|it| it.settings().on_partition == OnPartition::Compute)
    }
}

impl<V> Stored<V> {
    /// How long after their time values may be served, as far as the clock can tell.
    pub(crate) fn linger(&self) -> Duration {
        self.kept.tellable(self.site.options.linger())
    }

    /// The shared tier, if the function has it.
    pub(crate) fn fleet(&self) -> Option<&OnFleet> {
        self.kept.fleet.as_ref()
    }

    /// Whether values are kept on this machine's disk.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.kept.disk.is_some()
    }

    pub(crate) fn is_on_fleet(&self) -> bool {
        self.kept.fleet.is_some()
    }

    pub(crate) fn asking<'a>(&self, address: &'a Address, known: &[Mark]) -> Asking<'a> {
        let place = Place { mark: address.mark(), id: address.id };
        let mut marks = Marks::new();
        let remembered = self.remembered.0.lock();
        let found = remembered.get(&address.id).into_iter().flatten();
        for mark in known.iter().chain(found) {
            if !marks.contains(mark) {
                marks.push(*mark);
            }
        }
        Asking {
            address,
            place,
            marks,
            shape: *self.bytes.shape(),
            is_part: false,
            linger: Duration::ZERO,
            blame: None,
        }
    }

    /// Looks for a value that another process stored, or says why there is none. `is_awaited` says that
    /// somebody computes it, whose end is to be told of.
    pub(crate) async fn look_up(
        &self,
        fleet: &Redis,
        asking: &Asking<'_>,
        is_awaited: bool,
        patience: &mut Patience,
    ) -> Result<Result<Loaded<V>, Miss>, Fault>
    where
        V: Send,
    {
        let mut found = None;
        let mut take = |sound: &Sound<'_>| {
            let header = &sound.envelope.header;
            let payload = sound.envelope.payload;
            let value = self.bytes.unpack(header.compression, header.unpacked, payload);
            found = value.map(|value| {
                let now = self.kept.time.now();
                let about = About { born: now.before(sound.age), ..sound.about() };
                let is_over = sound.left.is_zero();
                let is_copied = self.kept.disk.is_some() && !is_over;
                let packed = is_copied.then(|| Packed {
                    compression: header.compression,
                    length: header.unpacked,
                    payload: payload.to_vec(),
                });
                Loaded { value, about, expires: end(sound, now), packed }
            });
            found.is_some()
        };
        let wanted = Wanted { is_awaited, ..asking.wanted() };
        let seen = fleet.read(&wanted, patience, &mut take).await?;
        Ok(match (seen, found) {
            (Seen::Hit, Some(loaded)) => Ok(loaded),
            (Seen::Miss(why), _) => Err(why),
            (Seen::Hit, None) => Err(Miss::Undecodable),
        })
    }

    /// The same for a caller who makes nothing of it that stays.
    pub(crate) async fn glance_at_fleet(
        &self,
        fleet: &Redis,
        asking: &Asking<'_>,
        patience: &mut Patience,
    ) -> Result<Result<Glanced<V>, Miss>, Fault>
    where
        V: Send,
    {
        let mut found = None;
        let mut take = |sound: &Sound<'_>| {
            found = self.glanced(sound);
            found.is_some()
        };
        let seen = fleet.glance(&asking.wanted(), patience, &mut take).await?;
        Ok(match seen {
            Seen::Hit => found.ok_or(Miss::Undecodable),
            Seen::Miss(why) => Err(why),
        })
    }

    /// The same for several calls, with one trip for all.
    pub(crate) async fn glance_at_all(
        &self,
        fleet: &Redis,
        askings: &[Asking<'_>],
        patience: &mut Patience,
    ) -> Vec<Result<Result<Glanced<V>, Miss>, Fault>>
    where
        V: Send,
    {
        let mut found: Vec<Option<Glanced<V>>> = askings.iter().map(|_| None).collect();
        let mut take = |at: usize, sound: &Sound<'_>| {
            found[at] = self.glanced(sound);
            found[at].is_some()
        };
        let wanted: Vec<_> = askings.iter().map(Asking::wanted).collect();
        let seen = fleet.glance_all(&wanted, patience, &mut take).await;
        let outcomes = seen.into_iter().zip(found).map(|(seen, found)| match seen? {
            Seen::Hit => Ok(found.ok_or(Miss::Undecodable)),
            Seen::Miss(why) => Ok(Err(why)),
        });
        outcomes.collect()
    }

    fn glanced(&self, sound: &Sound<'_>) -> Option<Glanced<V>> {
        let Envelope { header, payload, .. } = &sound.envelope;
        let value = self.bytes.unpack(header.compression, header.unpacked, payload)?;
        Some(Glanced { value, age: sound.age, expires: end(sound, self.kept.time.now()) })
    }

    /// Reads what the tier has for a call.
    pub(super) async fn peek_at_fleet(
        &self,
        fleet: &Redis,
        address: &Address,
        (linger, blame): (Duration, Option<&Blame>),
    ) -> Result<Loaded<V>, Miss>
    where
        V: Send + Sync,
    {
        let marks = [address.mark()];
        let asking = Asking { blame, ..self.asking(address, &marks).lingering(linger) };
        if !asking.is_up(fleet) {
            return Err(Miss::Unavailable);
        }
        let looked = self.look_up(fleet, &asking, false, &mut fleet.patience()).await;
        looked.unwrap_or(Err(Miss::Unavailable))
    }

    /// Reads what is kept for a call, and says in which tier.
    pub(super) async fn peek(
        &self,
        fleet: &Redis,
        address: &Address,
    ) -> Result<(Level, Loaded<V>), Miss>
    where
        V: Send + Sync,
    {
        // What else it depends on, it says itself.
        let asking = self.asking(address, &[address.mark()]);
        if !asking.is_up(fleet) {
            let may_serve = fleet.settings().on_partition == OnPartition::Serve;
            let found = if may_serve {
                self.find_latest(address, Duration::ZERO)
            } else {
                Err(Miss::Unavailable)
            };
            return found.map(|loaded| (Level::L2, loaded));
        }
        let found = self.peek_at_fleet(fleet, address, (Duration::ZERO, None)).await;
        found.map(|loaded| (Level::L3, loaded))
    }

    /// Gives a copy that is kept nearer back if it may be served, for no longer than what the tier has: that
    /// is asked there.
    pub(crate) async fn confirm(
        &self,
        fleet: &Redis,
        asking: &Asking<'_>,
        copy: Loaded<V>,
        patience: &mut Patience,
    ) -> Result<Option<Loaded<V>>, Fault> {
        let Loaded { mut about, expires, .. } = copy;
        let Some(captured) = about.captured.take() else { return Ok(None) };
        if !asking.marks.iter().all(|mark| captured.get(*mark).is_some()) {
            return Ok(None);
        }
        let now = self.kept.time.now();
        let compared = fleet.check(&asking.wanted(), (&captured, &about), patience).await?;
        let Some((captured, left)) = compared else { return Ok(None) };
        about.captured = Some(Arc::new(captured));
        // Its own clock may have stood still while the machine slept.
        Ok(Some(Loaded { about, expires: expires.min(now.after(left)), ..copy }))
    }

    /// Asks for the right to compute; nothing while another has it. `Err` says that what is computed
    /// can't be kept there.
    pub(crate) async fn claim(
        &self,
        fleet: &Redis,
        asking: &Asking<'_>,
        (since, seize): (Stamp, bool),
        patience: &mut Patience,
    ) -> Result<Option<Granted>, Fault> {
        let options = &self.site.options;
        let ttl = options.lifetime().unwrap_or(Duration::MAX).saturating_add(options.linger());
        let claimed = fleet.claim(&asking.wanted(), since, (ttl, seize), patience).await?;
        match claimed {
            Claimed::Granted(lease, captured) => {
                Ok(Some(Granted { lease, captured, patience: *patience }))
            }
            Claimed::Held => Ok(None),
            Claimed::Unfit => Err(Fault::Foreign),
        }
    }

    /// Makes a value ready to be kept in the shared tier. `about` is given the versions it is valid
    /// under. Nothing if something it depends on was not known before it was computed.
    pub(crate) fn consign(
        &self,
        address: &Address,
        granted: Granted,
        (packed, about, expires): (&Packed, &mut About, Moment),
    ) -> Option<Consignment> {
        let Granted { lease, captured, patience } = granted;
        // Files are this machine's.
        if about.files.is_some() {
            return None;
        }
        let outward = outward(about);
        let captured = self.fleet()?.ending(captured);
        let Some(mut captured) = vouched(captured, about, &outward) else {
            self.remember(address.id, &outward.marks);
            return None;
        };
        captured.origin = lease.token();
        let (now, clock) = (self.kept.time.now(), self.fleet()?.time(lease.place())?);
        let earliest = clock.earliest;
        let ttl = expires.since(now);
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let header = Header {
            codec: self.bytes.format.codec(),
            compression: packed.compression,
            shape: *self.bytes.shape(),
            incarnation: captured.origin,
            stamp: 0,
            created: nanos(earliest.saturating_sub(now.since(about.born))),
            expires: nanos(earliest.saturating_add(ttl)),
            weight: about.weight,
            unpacked: packed.length,
        };
        let versions = captured.write();
        let parts = [&[], address.key(), &packed.payload[..], &versions[..]];
        let Ok(bytes) = outward::envelope(header, &outward, parts) else {
            self.kept.counters.evictions_oversized.add(1);
            return None;
        };
        about.captured = Some(Arc::new(captured));
        let ttl = ttl.saturating_add(self.site.options.linger());
        Some(Consignment { lease, bytes, ttl, patience })
    }

    fn remember(&self, id: u64, marks: &Marks) {
        let mut remembered = self.remembered.0.lock();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(id, marks.clone());
    }

    /// Keeps a value in the shared tier; true if it is there, and of use.
    pub(crate) async fn deliver(&self, consignment: Consignment) -> bool {
        let Some(fleet) = self.fleet() else { return false };
        let Consignment { lease, bytes, ttl, mut patience } = consignment;
        let stored = fleet.store(lease, bytes, ttl, &mut patience).await;
        let counters = &self.kept.counters;
        match stored {
            Outcome::Kept => counters.stores_l3.add(1),
            Outcome::Fenced => counters.fenced_stores_l3.add(1),
            Outcome::Oversized => counters.evictions_oversized.add(1),
            Outcome::Failed => counters.degraded.add(1),
        }
        stored == Outcome::Kept
    }
}
