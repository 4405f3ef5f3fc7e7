//! L3: bytes in Redis, shared by machines.
//!
//! It owns the protocol and the connections. It knows envelopes, and nothing of the values in them.
//!
//! 1. An entry is handed out only if every version it was computed under is there unchanged, read
//!    after the call began; a missing version is a mismatch (V5).
//! 2. Versions are captured before the computation, by a read, so that the server tells of their end.
//! 3. A value is stored only by who holds the lease of its key (F3).
//! 4. What can't be delivered is kept, and until it is, nothing it names is taken from here (C5).
//! 5. Nothing here fails a call, or makes it wait beyond its deadline (C7).

mod batch;
mod breaker;
mod claim;
mod cluster;
mod complaints;
mod dial;
mod generation;
mod glances;
mod held;
mod judge;
mod ledger;
mod link;
mod names;
mod near;
mod nears;
mod origin;
mod outbox;
mod pending;
mod planted;
mod queue;
mod reading;
mod requests;
#[cfg(feature = "redis-tls")]
mod secrecy;
mod server;
mod settings;
#[cfg(test)]
mod simulation;
mod statistics;
#[cfg(test)]
mod tests;
mod thread;
mod ticks;
mod versions;
mod waiters;
mod wire;

pub use self::breaker::Breaker;
pub(crate) use self::claim::Claimed;
use self::claim::VERSION;
pub(crate) use self::held::Lease;
pub(crate) use self::judge::{Seen, Sound, Wanted};
pub(crate) use self::names::Place;
pub(crate) use self::outbox::Collecting;
pub(crate) use self::server::{Fault, Patience, Timed};
pub use self::settings::{OnFailover, OnPartition};
pub(crate) use self::settings::{Settings, VARIABLE};
pub use self::statistics::{RedisStats, ServerStats};

use self::cluster::Cluster;
use self::complaints::Complaints;
use self::held::Holdings;
use self::ledger::Ledger;
use self::link::{Ear, Link};
use self::names::{Named, Names};
use self::nears::Nears;
use self::origin::Origin;
use self::pending::Pending;
use self::planted::Bug;
use self::server::{Command, Refusal, Reply, Server};
use self::settings::Servers;
use self::waiters::{Waiter, Waiters};
use crate::captured::{Captured, Version};
use crate::entry::{About, Marks, Stamp};
use crate::error::Error;
use crate::mark::Mark;
use crate::outward::outward;
use crate::target::Target;
use std::io;
use std::iter::once_with;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long a lease lasts that is not renewed: so long after its holder's death nobody computes.
const LEASE: Duration = Duration::from_secs(2);
/// The longest entry that is stored, in bytes.
const LONGEST: usize = 64 << 20;

/// Who is told of invalidations elsewhere.
pub(crate) trait Listener: Send + Sync {
    /// Takes note of an invalidation, without waiting for locks under which code of the user's runs.
    fn hear(&self, target: &Target);

    /// Takes note that there may have been any.
    fn lose(&self);

    /// Does what takes longer, where nobody waits for it.
    fn settle(&self);

    /// Takes note that an invalidation that waited has been delivered. May wait for a disk, as all that
    /// follows may.
    fn deliver(&self, target: &Target);

    /// Keeps an invalidation that waits to be delivered where this machine's other processes see it;
    /// false if there is no such place.
    fn postpone(&self, target: &Target) -> bool;

    /// Those that are kept there, and their numbers.
    fn postponed(&self) -> Vec<(u64, Target)>;

    /// Forgets those of these numbers, which have been delivered.
    fn forget(&self, numbers: &[u64]);

    /// Whether a computation has been overtaken.
    fn is_overtaken(&self, marks: &Marks, since: Stamp) -> bool;
}

/// The Redis tier of one runtime.
pub(crate) struct Redis {
    shared: Arc<Shared>,
}

/// What the tier's thread shares with its users.
struct Shared {
    names: Names,
    settings: Settings,
    link: Box<dyn Server>,
    /// What executors of the program have, but for those of a cluster.
    nears: Option<Arc<Nears>>,
    listener: Arc<dyn Listener>,
    holdings: Holdings,
    waiters: Waiters,
    ledger: Ledger,
    pending: Pending,
    complaints: Complaints,
    versions_made: AtomicU64,
}

/// What became of a value to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Kept,
    /// The lease was another's by then, or nobody's.
    Fenced,
    Oversized,
    /// The server would not, or could not be asked.
    Failed,
}

impl Redis {
    pub(crate) fn new(
        settings: Settings,
        namespace: &str,
        listener: Box<dyn Listener>,
    ) -> io::Result<Self> {
        #[cfg(feature = "redis-tls")]
        secrecy::prepare();
        thread::start()?;
        let (servers, bound) = (settings.servers.clone(), settings.bound);
        let trusts = settings.on_failover == OnFailover::Trust;
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| {
            let ear: Weak<dyn Ear> = Weak::clone(shared) as Weak<dyn Ear>;
            let one = |origin, ear| {
                let link = Link::new(origin, bound, trusts, ear, true);
                let nears = Nears::new(link.stands(), Names::new(namespace));
                (Box::new(link) as Box<dyn Server>, Some(nears))
            };
            let (link, nears): (Box<dyn Server>, _) = match servers {
                Servers::Single(info) => one(Origin::Fixed(info), ear),
                Servers::Sentinels { sentinels, name, server } => {
                    let heartbeat = Names::new(namespace).heartbeat();
                    one(Origin::Watched { sentinels, name, server, heartbeat }, ear)
                }
                Servers::Cluster(seeds) => {
                    (Box::new(Cluster::new(seeds, bound, trusts, ear)), None)
                }
            };
            Shared { nears, ..Shared::new(namespace, settings, link, Arc::from(listener)) }
        });
        thread::spawn(held::tend(Arc::downgrade(&shared)));
        thread::spawn(pending::tend(Arc::downgrade(&shared)));
        Ok(Self { shared })
    }

    /// Whether it is worth asking, whatever for.
    pub(crate) fn is_up(&self) -> bool {
        self.shared.link.is_up()
    }

    /// Whether all that has a part in a call's value is worth asking.
    pub(crate) fn is_up_for(&self, wanted: &Wanted<'_>) -> bool {
        let names = &self.shared.names;
        // Made one by one: only a cluster asks for them.
        let value = once_with(|| names.value(wanted.place));
        let versions = wanted.marks.iter().map(|mark| names.version(*mark));
        let keys = value.chain(once_with(|| names.ledger())).chain(versions);
        self.shared.link.is_up_for(&mut { keys })
    }

    /// Whether what was read is vouched for: whether what has been changed since would have been heard.
    pub(crate) fn vouches(&self) -> bool {
        self.shared.link.vouches()
    }

    /// What the clock of the server shows that has a place.
    pub(crate) fn time(&self, place: &Place) -> Option<Timed> {
        self.shared.link.time(&|| self.shared.names.value(place))
    }

    /// What a computation captured, once it is over and what it was made of is known.
    pub(crate) fn ending(&self, captured: Captured) -> Captured {
        self.shared.ledger.ending(captured)
    }

    /// Whether a value may be a part of what is kept in the tier: it has versions, and nothing that was
    /// listed since, as far as this process has caught up, holds for it.
    pub(crate) fn may_share(&self, about: &About) -> bool {
        about.captured.as_deref().is_some_and(|captured| {
            !captured.may_be_behind()
                || self.shared.ledger.is_silent_since(captured.ledger, &|| outward(about))
        })
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// The time that a call may wait.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.shared.settings.deadline)
    }

    /// Gives the executor that this is called in a connection of its own.
    pub(crate) fn attach_executor(&self) {
        if let Some(nears) = &self.shared.nears {
            nears.attach();
        }
    }

    /// Reads what is kept for a call and, on the same trip, the versions of all it is known by.
    pub(crate) async fn read(
        &self,
        wanted: &Wanted<'_>,
        patience: &mut Patience,
        visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
    ) -> Result<Seen, Fault> {
        reading::read(&self.shared, wanted, patience, visit).await
    }

    /// The same for a caller who makes nothing of it that stays.
    pub(crate) async fn glance(
        &self,
        wanted: &Wanted<'_>,
        patience: &mut Patience,
        visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
    ) -> Result<Seen, Fault> {
        reading::glance(&self.shared, wanted, patience, visit).await
    }

    /// The same for several calls of one function, at once.
    pub(crate) async fn glance_all(
        &self,
        wanted: &[Wanted<'_>],
        patience: &mut Patience,
        visit: &mut (dyn FnMut(usize, &Sound<'_>) -> bool + Send),
    ) -> Vec<Result<Seen, Fault>> {
        glances::glance_all(&self.shared, wanted, patience, visit).await
    }

    /// Has this process told of what marks have from now on, and forget what it made of them until then.
    pub(crate) fn attend(&self, marks: &[Mark]) {
        let (shared, marks) = (Arc::clone(&self.shared), marks.to_vec());
        let keys = self.versioned(&marks);
        thread::spawn(async move {
            let mut patience = Patience::new(shared.settings.deadline);
            // Where that comes to nothing, who asks next finds out.
            let _ = patience.ask(&*shared.link, vec![Command::Read(keys)]).await;
            shared.listener.hear(&Target::Any(marks));
        });
    }

    /// What a nearer copy of an entry was found to be valid under, and how long the entry is fresh. Nothing
    /// if it may not be served.
    pub(crate) async fn check(
        &self,
        wanted: &Wanted<'_>,
        copy: (&Captured, &About),
        patience: &mut Patience,
    ) -> Result<Option<(Captured, Duration)>, Fault> {
        reading::check(&self.shared, wanted, copy, patience).await
    }

    /// Stores a value and gives up the lease, or gives it up.
    pub(crate) async fn store(
        &self,
        mut lease: Lease,
        bytes: Vec<u8>,
        ttl: Duration,
        patience: &mut Patience,
    ) -> Outcome {
        if bytes.len() > LONGEST {
            return Outcome::Oversized;
        }
        let names = &self.shared.names;
        let (key, lease_key) = (names.value(lease.place()), names.lease(lease.place()));
        let store = Command::Store { key, lease: lease_key, token: lease.token(), bytes, ttl };
        match patience.ask(&*self.shared.link, vec![store]).await.as_deref() {
            Ok([Reply::Done(true)]) => {
                lease.spend();
                Outcome::Kept
            }
            Ok([Reply::Done(false)]) => {
                lease.spend();
                Outcome::Fenced
            }
            _ => Outcome::Failed,
        }
    }

    /// Waits for whoever computes a key. To be joined before it is asked whether there is anyone.
    pub(crate) fn join(&self, place: &Place) -> Waiter<'_> {
        self.shared.waiters.join(place)
    }

    /// Applies an invalidation to the tier. Ends when the servers have answered.
    ///
    /// # Cancellation
    ///
    /// Takes effect once called, and then as a whole.
    pub(crate) fn invalidate(
        &self,
        target: Target,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (told, heard) = tokio::sync::oneshot::channel();
        let shared = Arc::clone(&self.shared);
        self.shared.link.spawn(Box::pin(async move {
            let outcome = shared.invalidate(&target).await;
            if outcome.is_err() {
                shared.postpone(target.clone()).await;
            }
            if told.send(outcome.map_err(pending::error)).is_err() {
                // Nobody waits who would record it now: what was read here until the servers had done
                // it came after what was recorded when that one left, and of this nobody tells.
                shared.aside(move |listener| listener.deliver(&target)).await;
            }
        }));
        async { heard.await.unwrap_or_else(|_| Err(pending::error("its thread has ended"))) }
    }

    /// Whether invalidations wait to be delivered.
    pub(crate) fn is_anything_pending(&self) -> bool {
        !self.shared.pending.is_empty() || !self.shared.listener.postponed().is_empty()
    }

    pub(crate) fn stats(&self) -> RedisStats {
        let elsewhere = self.shared.listener.postponed().len();
        let pending = (self.shared.pending.len() + elsewhere) as u64;
        let versions_made = self.shared.versions_made.load(Relaxed);
        let (ledger_entries, ledger_bytes) = self.shared.ledger.size();
        let of_link = self.shared.link.stats();
        RedisStats { pending, versions_made, ledger_entries, ledger_bytes, ..of_link }
    }
}

impl Shared {
    fn new(
        namespace: &str,
        settings: Settings,
        link: Box<dyn Server>,
        listener: Arc<dyn Listener>,
    ) -> Self {
        Self {
            names: Names::new(namespace),
            settings,
            link,
            nears: None,
            listener,
            holdings: Holdings::default(),
            waiters: Waiters::default(),
            ledger: Ledger::default(),
            pending: Pending::default(),
            complaints: Complaints::default(),
            versions_made: AtomicU64::new(0),
        }
    }

    /// Applies an invalidation, or says why it could not be.
    async fn invalidate(&self, target: &Target) -> Result<(), &'static str> {
        if !self.link.is_up() {
            return Err("no server can be reached");
        }
        let mut patience = Patience::new(self.settings.deadline);
        let commands = match (target, ledger::entry(target)) {
            (Target::Any(marks), _) if planted::is(Bug::SetInsteadOfUnlink) => {
                let key = |mark: &Mark| self.names.version(*mark);
                let (token, ttl, seize) = (random(), VERSION, true);
                let set = |mark| Command::Lease { key: key(mark), token, ttl, seize };
                marks.iter().map(set).collect()
            }
            (Target::Any(marks), _) if marks.is_empty() => return Ok(()),
            (Target::Any(marks), _) => {
                let versions = marks.iter().map(|mark| self.names.version(*mark));
                vec![Command::Unlink(versions.chain(self.generation()).collect())]
            }
            (_, None) => return outcome(self.forget_all(&mut patience).await.as_deref()),
            (_, Some(entry)) => {
                let (ledger, recent) = (self.names.ledger(), self.names.recent());
                let announce = Command::Announce { ledger, recent, epoch: random(), entry };
                // Nobody tells who added something itself.
                let news = self.news().into_iter().filter(|_| !planted::is(Bug::AnnouncedNotRead));
                std::iter::once(announce).chain(news).collect()
            }
        };
        let is_announced = matches!(commands[0], Command::Announce { .. });
        let mut replies = patience.ask(&*self.link, commands).await;
        if let (true, Ok([Reply::Refused(Refusal::Full), ..])) = (is_announced, replies.as_deref())
        {
            // A full server still removes: with the list, everything is forgotten.
            replies = self.forget_all(&mut patience).await;
        }
        match replies.as_deref() {
            _ if !is_announced || planted::is(Bug::AnnouncedNotRead) => {}
            Ok([done @ Reply::Done(_), news @ ..]) => {
                self.catch_up_with(news, &mut patience).await;
                return outcome(Ok(std::slice::from_ref(done)));
            }
            Ok([refused, ..]) => return outcome(Ok(std::slice::from_ref(refused))),
            // It may have been added, and what others added since would not be told of.
            _ => self.lose_track(),
        }
        outcome(replies.as_deref().map(|it| it.get(..1).unwrap_or_default()))
    }

    /// Removes the ledger. Nobody tells who did that itself, so it forgets everything here, too,
    /// whatever was answered.
    async fn forget_all(&self, patience: &mut Patience) -> Result<Vec<Reply>, Fault> {
        let unlink = vec![Command::Unlink(vec![self.names.ledger()])];
        let replies = patience.ask(&*self.link, unlink).await;
        self.lose_track();
        replies
    }
}

impl Ear for Shared {
    fn changed(self: Arc<Self>, keys: &mut dyn Iterator<Item = &[u8]>) {
        let mut marks = Vec::new();
        let mut is_announced = false;
        for key in keys {
            match self.names.parse(key) {
                Some(Named::Version(mark)) => marks.push(mark),
                Some(Named::Value { mark, id }) => {
                    marks.push(mark);
                    self.waiters.wake(mark, id);
                }
                Some(Named::Lease { mark, id }) => self.waiters.wake(mark, id),
                Some(Named::Ledger) => is_announced = true,
                None => {}
            }
        }
        if !marks.is_empty() {
            self.listener.hear(&Target::Any(marks));
        }
        if is_announced {
            let shared = Arc::clone(&self);
            self.link.spawn(Box::pin(async move { shared.catch_up().await }));
        }
    }

    fn lost(&self) {
        self.lose_track();
        self.waiters.wake_all();
    }
}

/// What an invalidation came to, or why it was not applied.
fn outcome(replies: Result<&[Reply], &Fault>) -> Result<(), &'static str> {
    match replies {
        Ok([Reply::Done(_)]) => Ok(()),
        Ok([Reply::Refused(Refusal::Forbidden)]) => Err("the server's user may not"),
        Ok([Reply::Refused(Refusal::ReadOnly)]) => Err("the server only reads"),
        Ok(_) => Err("the server refuses"),
        Err(Fault::Late) => Err("the server does not answer in time"),
        Err(_) => Err("the server can't be reached"),
    }
}

/// Bytes that nobody has had before.
fn random() -> [u8; 16] {
    #[cfg(test)]
    if let Some(bytes) = simulation::seeded() {
        return bytes;
    }
    let mut bytes = [0; 16];
    // Where the system has no random numbers, nothing works: better no value than a known one.
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    bytes
}
