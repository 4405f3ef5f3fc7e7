//! What is asked of a server, and what it may answer. The protocol knows no more of it than this.

use super::statistics::RedisStats;
use super::thread;
use crate::captured::Origin;
use smallvec::SmallVec;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// The name of a key.
pub(super) type Key = Vec<u8>;

/// One thing to do, at once or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Reads keys, and has the server tell of it when one of them changes.
    Read(Vec<Key>),
    /// Asks which computation's value a key has, and has the server tell of it when that changes.
    Identify(Key),
    /// Makes a key, unless there is one.
    Create { key: Key, bytes: Vec<u8>, ttl: Option<Duration> },
    /// Asks what a key has, and gives it that if it has nothing. The server tells nobody of its end.
    Settle { key: Key, bytes: Vec<u8>, ttl: Duration },
    /// Asks how long a key lasts.
    Remaining(Key),
    /// Makes a key last longer.
    Prolong { key: Key, ttl: Duration },
    /// Takes a lease that nobody has, or whoever has it.
    Lease { key: Key, token: Token, ttl: Duration, seize: bool },
    /// Makes a lease that this token holds last longer.
    Renew { key: Key, token: Token, ttl: Duration },
    /// Gives up a lease that this token holds.
    Release { key: Key, token: Token },
    /// Stores a value and gives up the lease, if this token holds it.
    Store { key: Key, lease: Key, token: Token, bytes: Vec<u8>, ttl: Duration },
    /// Removes keys.
    Unlink(Vec<Key>),
    /// Adds to the ledger; where there is none, it begins with this epoch.
    Announce { ledger: Key, recent: Key, epoch: [u8; 16], entry: Vec<u8> },
    /// Reads so many of the last entries of the ledger.
    Recent { key: Key, count: usize },
    /// Asks who has which slot of a cluster.
    Slots,
    /// Says that the next command has been referred here.
    Asking,
}

impl Command {
    /// The keys it is about.
    pub(super) fn keys(&self) -> &[Key] {
        match self {
            Self::Read(keys) | Self::Unlink(keys) => keys,
            Self::Create { key, .. }
            | Self::Settle { key, .. }
            | Self::Identify(key)
            | Self::Remaining(key)
            | Self::Prolong { key, .. }
            | Self::Lease { key, .. }
            | Self::Renew { key, .. }
            | Self::Release { key, .. }
            | Self::Store { key, .. }
            | Self::Announce { ledger: key, .. }
            | Self::Recent { key, .. } => std::slice::from_ref(key),
            Self::Slots | Self::Asking => &[],
        }
    }

    /// The same about some of its keys only, if it is one that may be taken apart.
    pub(super) fn only(&self, keys: &[usize]) -> Self {
        let some = |all: &[Key]| keys.iter().map(|key| all[*key].clone()).collect();
        match self {
            Self::Read(all) => Self::Read(some(all)),
            Self::Unlink(all) => Self::Unlink(some(all)),
            whole => whole.clone(),
        }
    }
}

/// Tells one computation from all others.
pub(super) type Token = Origin;

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// What each key has, and whose it is.
    Found(Vec<Option<Bytes>>),
    /// Whether it was done.
    Done(bool),
    /// How long a key lasts; nothing if for ever.
    Remaining(Option<Duration>),
    /// Of the ledger, and whose it is.
    Recent(Vec<Vec<u8>>, Run),
    /// Of a cluster: first and last slot, and the address of who has them.
    Slots(Vec<(u16, u16, String)>),
    /// The server would not.
    Refused(Refusal),
}

/// Bytes, and the run of the server that had them. What is as short as a version, or mostly as where
/// the ledger stands, is copied without asking for memory: mostly several want it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) bytes: SmallVec<[u8; 40]>,
    pub(super) run: Run,
}

impl Clone for Bytes {
    fn clone(&self) -> Self {
        // In one piece: that of the vector goes byte by byte.
        Self { bytes: SmallVec::from_slice(&self.bytes), run: self.run }
    }
}

/// What several keys have. In place: what one thread reads and another takes apart is not handed back.
pub(super) type Found = SmallVec<[Option<Bytes>; 6]>;

/// One life of one server: another after each start, and each time that it becomes a primary.
pub(super) type Run = [u8; 16];

/// Why a server did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has no room.
    Full,
    /// Its user may not.
    Forbidden,
    /// It only reads.
    ReadOnly,
    /// Somebody else has the slot.
    Moved(String),
    /// Somebody else may have the key already.
    Ask(String),
    /// Something else, or an answer that makes no sense.
    Other,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// There is no connection, or it is not used for now.
    Down,
    /// It did not come in time.
    Late,
    /// It came in a form that makes no sense, or was a refusal.
    Foreign,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "it can't be reached",
            Self::Late => "it does not answer in time",
            Self::Foreign => "it refuses, or answers what makes no sense",
        })
    }
}

/// What a server's clock shows: no less and no more than this, in time since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timed {
    pub(crate) earliest: Duration,
    pub(crate) latest: Duration,
}

/// The answers to several commands, in their order.
pub(super) type Replies = Pin<Box<dyn Future<Output = Result<Vec<Reply>, Fault>> + Send>>;

/// What runs beside those who ask.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What may take long, as disks do.
pub(super) type Work = Box<dyn FnOnce() + Send>;

/// A server, or several that share the keys.
pub(super) trait Server: Send + Sync {
    /// Sends commands on one trip. Commands on keys of one slot take effect in their order.
    ///
    /// # Cancellation
    ///
    /// What was sent takes effect all the same.
    fn send(&self, commands: Vec<Command>, patience: Duration) -> Replies;

    /// Whether all commands of a trip take effect in their order, whatever keys they are about.
    fn keeps_order(&self) -> bool {
        false
    }

    /// Whether it is worth asking.
    fn is_up(&self) -> bool;

    /// Whether whoever has these keys is worth asking.
    fn is_up_for(&self, _: &mut dyn Iterator<Item = Key>) -> bool {
        self.is_up()
    }

    /// Whether everything that was changed before the coherence bound has been heard of.
    fn vouches(&self) -> bool;

    /// What has been counted.
    fn stats(&self) -> RedisStats;

    /// What the clock of the server that has a key shows now. Nothing before it was asked.
    fn time(&self, key: &dyn Fn() -> Key) -> Option<Timed>;

    /// Runs what nobody waits for, where connections are.
    fn spawn(&self, task: Task) {
        thread::spawn(task);
    }

    /// Does what may take long, where no connection waits for it.
    fn aside(&self, work: Work) {
        thread::aside(work);
    }

    /// What patience is measured by.
    fn now(&self) -> Instant {
        Instant::now()
    }
}

/// What is left of the time that one call may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience(Duration);

impl Patience {
    pub(crate) fn new(deadline: Duration) -> Self {
        Self(deadline)
    }

    /// Asks, and takes what that took from the time that is left.
    pub(super) async fn ask(
        &mut self,
        server: &dyn Server,
        commands: Vec<Command>,
    ) -> Result<Vec<Reply>, Fault> {
        self.spend(server, |left| server.send(commands, left)).await?
    }

    /// Waits for what takes no longer than the time that is left, and takes it from that.
    pub(super) async fn spend<F: Future>(
        &mut self,
        server: &dyn Server,
        ask: impl FnOnce(Duration) -> F,
    ) -> Result<F::Output, Fault> {
        if self.0.is_zero() {
            return Err(Fault::Late);
        }
        let begun = server.now();
        let outcome = ask(self.0).await;
        self.0 = self.0.saturating_sub(server.now().saturating_duration_since(begun));
        Ok(outcome)
    }
}
