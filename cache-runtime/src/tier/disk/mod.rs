//! L2: bytes on this machine's disk, shared by its processes.
//!
//! It owns the directory: the store, the log of invalidations, the leases. It knows envelopes, and
//! nothing of the values in them.
//!
//! 1. An entry is handed out only if it is of the log's incarnation, sound, of the key and shape
//!    that were asked for, not expired, and nothing it depends on has been recorded since its stamp.
//! 2. A parcel is stored only if that holds as of a reading of the clock inside the transaction that
//!    stores it.
//! 3. Nothing here fails a call: what can't be reached is a miss, what can't be stored is counted.

#[cfg(test)]
mod child;
mod fault;
mod housekeeping;
#[cfg(feature = "redis")]
mod journal;
mod kernel_lock;
mod lease;
mod log;
mod log_file;
mod machine;
mod members;
mod opened;
mod owned;
mod parcel;
mod place;
mod shared;
mod store;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use self::lease::Lease;
pub(crate) use self::machine::{Heard, MachineStamp};
pub(crate) use self::owned::Refusal;
pub(crate) use self::parcel::{Arrival, Parcel, Sound, Wanted};
pub(crate) use self::place::Place;
pub(crate) use self::store::{LEAST, State, Together};

use self::fault::guarded;
#[cfg(feature = "redis")]
use self::journal::Journal;
use self::lease::Taken;
use self::log::Incarnation;
use self::machine::Machine;
use self::opened::{Opened, Opening};
use self::parcel::Pending;
use self::store::Found;
use self::writer::Writer;
use crate::clock::TimeSource;
use crate::codec::envelope::Envelope;
use crate::culprit::Culprit;
use crate::entry::Stamp;
use crate::error::{Error, ErrorKind, Level};
use crate::files::Files;
use crate::lookup::Miss;
use crate::sync::{Mutex, RwLock};
use crate::target::Target;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// The size limit unless another is given.
pub(crate) const LIMIT: u64 = 1 << 30;

/// Invalidations kept for a machine that can't be reached, before they become one of everything.
const MOST_WAITING: usize = 4_096;

/// Who is told what was heard.
pub(crate) trait Listener: Send + Sync {
    /// Takes note of it, without waiting for locks under which code of the user's runs: others wait
    /// for this to return.
    fn hear(&self, heard: Heard<'_>);

    /// Does what takes longer, when nobody waits for it.
    fn settle(&self);
}

/// The disk tier of one runtime.
pub(crate) struct Disk {
    core: Arc<Core>,
    writer: Writer,
}

/// What the tier's thread shares with its users.
struct Core {
    place: Place,
    limit: u64,
    time: TimeSource,
    machine: Machine,
    #[cfg(feature = "redis")]
    journal: Journal,
    listener: Box<dyn Listener>,
    /// Whether there is a thread that keeps the house.
    has_house: AtomicBool,
    opened: RwLock<Option<Arc<Opened>>>,
    opening: Mutex<Opening>,
    pending: Pending,
    /// What is to be recorded as soon as the machine can be reached.
    waiting: Mutex<Vec<Target>>,
    /// When a fault was said last that may pass by itself.
    complained: Mutex<Option<Instant>>,
    /// Whose store was set aside last.
    condemned: Mutex<Option<Incarnation>>,
}

/// Where an entry was found.
#[derive(Clone, Copy)]
enum Kept {
    /// No sweep has seen it yet.
    OnItsWay,
    /// Seen in the store after this reading of the last sweep.
    Stored(Stamp),
}

/// What a lease was asked for came to.
pub(crate) enum Leased {
    Taken(Lease),
    /// Another process computes the same.
    Held,
    /// There are no leases now.
    Unavailable,
}

impl Disk {
    pub(crate) fn new(
        place: Place,
        limit: u64,
        time: TimeSource,
        listener: Box<dyn Listener>,
    ) -> io::Result<Arc<Self>> {
        let core = Arc::new(Core {
            #[cfg(feature = "redis")]
            journal: Journal::new(&place.path()),
            place,
            limit,
            time,
            machine: Machine::new()?,
            listener,
            has_house: AtomicBool::new(false),
            opened: RwLock::new(None),
            opening: Mutex::new(Opening::default()),
            pending: Pending::default(),
            waiting: Mutex::new(Vec::new()),
            complained: Mutex::new(None),
            condemned: Mutex::new(None),
        });
        let writer = Writer::new(Arc::clone(&core));
        Ok(Arc::new(Self { core, writer }))
    }

    /// Hears what other processes have invalidated. To be called before anything is judged.
    #[inline]
    pub(crate) fn hear(&self) {
        if self.core.machine.has_news() {
            self.core.catch_up();
        }
    }

    /// The reading that a computation begins with. Nothing while the machine can't be heard: what is
    /// computed then is not for keeping.
    pub(crate) fn stamp(&self) -> Option<MachineStamp> {
        self.core.opened()?;
        self.hear();
        self.core.machine.now()
    }

    /// Reads an entry in a state of the store, shows it to `visit` if it may be served, and says which
    /// state that was. A miss in one that is not the latest says little: another process may have put
    /// something better there a moment ago. `visit` says what is amiss with the entry, if anything is.
    pub(crate) fn read(
        &self,
        wanted: &Wanted<'_>,
        state: State,
        visit: &mut dyn FnMut(&Sound<'_>) -> Result<(), Miss>,
    ) -> Result<State, (Miss, State)> {
        let core = &self.core;
        let opened = core.opened().ok_or((Miss::Unavailable, State::Latest))?;
        if let Some(parcel) = core.pending.get(wanted.id) {
            let judged = core.judge(&opened, wanted, &parcel.envelope, Kept::OnItsWay, visit);
            return judged.map(|()| State::Latest).map_err(|miss| (miss, State::Latest));
        }
        let mut is_refused = false;
        let mut show = |sound: &Sound<'_>| visit(sound).inspect_err(|_| is_refused = true);
        // Of a damaged log it is not known, and zero makes nothing valid that is not.
        let swept = || core.machine.swept(opened.incarnation).map_or(0, |swept| swept.0);
        let read = |Found { envelope, note, state }: Found<'_>| {
            let kept = Kept::Stored(Stamp(note));
            let judged = envelope.map_or(Err(Miss::Absent), |bytes| {
                core.judge(&opened, wanted, bytes, kept, &mut show)
            });
            judged.map(|()| state).map_err(|miss| (miss, state))
        };
        let fault = match guarded(|| opened.store.read(wanted.id, state, swept, read)) {
            Ok(Ok(judged)) => {
                if let Err((Miss::Undecodable, State::Latest)) = judged
                    && !is_refused
                {
                    self.writer.discard(&opened, wanted.id);
                }
                return judged;
            }
            Ok(Err(fault)) => fault,
            Err(_) => opened::cut_short(),
        };
        core.fail(&opened, &fault);
        Err((Miss::Unavailable, State::Latest))
    }

    /// Ends what reads keep open without using it.
    pub(crate) fn let_go(&self) {
        // What comes of a fault is found by the next read.
        let _ = guarded(|| self.core.opened_already().is_some_and(|it| it.store.release()));
    }

    /// Stores a parcel, sooner or later.
    pub(crate) fn store(&self, parcel: Parcel) -> Arrival {
        self.writer.store(parcel)
    }

    /// Tries to become the one process that computes what belongs under an id.
    pub(crate) fn lease(&self, id: u64) -> Leased {
        let Some(opened) = self.core.opened() else { return Leased::Unavailable };
        match opened.leases.try_take(id) {
            Taken::Lease(lease) => Leased::Taken(lease),
            Taken::Held => Leased::Held,
            Taken::Unavailable(error) => {
                ::log::debug!("the disk tier computes without a lease: {error}");
                Leased::Unavailable
            }
        }
    }

    /// Records an invalidation for all processes of the machine.
    pub(crate) fn record(&self, target: &Target) -> Result<(), Error> {
        self.core.record(target)
    }

    /// Keeps an invalidation that waits to be delivered to other machines.
    #[cfg(feature = "redis")]
    pub(crate) fn postpone(&self, target: &Target) -> io::Result<()> {
        let opened = self.core.opened();
        opened.ok_or_else(|| io::Error::other("the disk tier can't be reached"))?;
        self.core.journal.add(target)
    }

    /// Those that wait, and their numbers.
    #[cfg(feature = "redis")]
    pub(crate) fn postponed(&self) -> Vec<(u64, Target)> {
        self.core.journal.waiting(self.core.machine.word())
    }

    /// Listens to the machine, so that what waits need not be looked for each time, and has it looked for
    /// once more. What takes long is waited for.
    #[cfg(feature = "redis")]
    pub(crate) fn attend(&self) {
        let _ = self.core.opened();
        self.core.journal.look_again();
    }

    /// Forgets those of these numbers, which have been delivered.
    #[cfg(feature = "redis")]
    pub(crate) fn delivered(&self, numbers: &[u64]) -> io::Result<()> {
        self.core.journal.remove(numbers)
    }

    /// Ends when everything given to `store` before has arrived.
    pub(crate) fn flush(&self) -> Arrival {
        self.writer.flush()
    }

    /// Whether invalidations wait for the machine to be reached.
    pub(crate) fn are_any_waiting(&self) -> bool {
        !self.core.waiting.lock().is_empty()
    }
}

impl Core {
    fn catch_up(&self) {
        self.machine.catch_up(|heard| self.listener.hear(heard));
        self.listener.settle();
    }

    /// Whether bytes that were found may be served; if so, shows them.
    fn judge(
        &self,
        opened: &Opened,
        wanted: &Wanted<'_>,
        bytes: &[u8],
        kept: Kept,
        visit: &mut dyn FnMut(&Sound<'_>) -> Result<(), Miss>,
    ) -> Result<(), Miss> {
        let envelope = Envelope::parse(bytes).map_err(|_| Miss::Undecodable)?;
        let header = &envelope.header;
        if header.incarnation != opened.incarnation.bytes() {
            return Err(Miss::Invalidated);
        }
        if header.shape != wanted.shape || envelope.key != wanted.key {
            return Err(Miss::Absent);
        }
        let wall = self.time.wall();
        let end = Duration::from_nanos(header.expires).saturating_add(wanted.linger);
        if end <= wall {
            return Err(Miss::Expired);
        }
        let files = if envelope.files.is_empty() {
            None
        } else {
            let (files, _) = Files::read(envelope.files).ok_or(Miss::Undecodable)?;
            Some(Arc::new(files))
        };
        if self.machine.is_ahead(opened.stamp(header.stamp)) {
            // The log has been exchanged for an older one: it lacks what was recorded since.
            self.machine.retire(opened.incarnation, |heard| self.listener.hear(heard));
            return Err(Miss::Invalidated);
        }
        let stamp = match kept {
            Kept::OnItsWay => opened.stamp(header.stamp),
            Kept::Stored(swept) => opened.stamp_as_of(header.stamp, swept),
        };
        let sound = Sound { envelope, files, wall };
        if !self.machine.vouches_for_marks(sound.marks(), || sound.about(), stamp) {
            if let Some(blame) = wanted.blame
                && let Some(mark) = self.machine.culprit(sound.marks(), stamp)
            {
                let _ = blame.set(Culprit::Name(mark));
            }
            return Err(Miss::Invalidated);
        }
        visit(&sound)
    }

    fn record(&self, target: &Target) -> Result<(), Error> {
        for _ in 0..2 {
            if self.opened().is_none() {
                break;
            }
            let recorded = self.machine.record(&machine::items(target));
            // Heard like that of another process: there is one way for all of them.
            self.catch_up();
            if recorded.is_ok() {
                return Ok(());
            }
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < MOST_WAITING {
            waiting.push(target.clone());
        } else {
            *waiting = vec![Target::Everything];
        }
        Err(Error::at(
            Level::L2,
            ErrorKind::Pending,
            "applied in this process; other processes hear of it when the disk tier can be reached",
        ))
    }

    /// How long a failure keeps the tier from being asked again.
    fn patience(failures: u32) -> Duration {
        Duration::from_millis(100 << failures.min(4))
    }
}
