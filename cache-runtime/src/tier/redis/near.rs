//! A connection inside an executor of the program: a read on it changes no threads.
//!
//! 1. It reads, and the server tells nobody of what it read: only for who makes nothing of that which
//!    stays.
//! 2. It is used only as long as the tier's own connection stands that it was made beside: to the same
//!    server in the same life. It answers for nothing itself.
//! 3. What comes to nothing here is asked for on the tier's own, and who was late is left.

use super::batch::Term;
use super::breaker::{Breaker, Fuse};
use super::link::{Standing, Stands};
use super::names::Names;
use super::queue::{Asked, Outcome, Queue, Reads, Swept, Ticket};
use super::server::{Bytes, Fault, Found, Run};
use super::ticks::Ticks;
use super::{dial, thread, wire};
use crate::sync::RwLock;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value, cmd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::time::{self, Instant};

/// How long to wait before connecting again.
const PAUSE: Duration = Duration::from_millis(250);

/// The connection of one executor.
pub(super) struct Near {
    executor: Handle,
    connected: RwLock<Option<Connected>>,
    /// Told to leave the connection.
    left: Notify,
    ticks: Arc<Ticks>,
    generation: Arc<AtomicU64>,
    fuse: Arc<Fuse>,
    late: Arc<AtomicU64>,
    names: Arc<Names>,
    queue: Queue,
}

#[derive(Clone)]
struct Connected {
    connection: MultiplexedConnection,
    run: Run,
    /// Of the tier's own that it was made beside.
    generation: u64,
    /// Tells it from those that were left.
    id: u64,
}

/// A trip under way. What waits goes next.
struct Trip<'a>(&'a Arc<Near>, Ticket);

impl Drop for Near {
    fn drop(&mut self) {
        // Who waits has a part in it.
        self.ticks.end();
    }
}

impl Near {
    pub(super) fn new(executor: Handle, stands: &Stands, names: Arc<Names>) -> Self {
        Self {
            executor,
            connected: RwLock::new(None),
            left: Notify::new(),
            ticks: Arc::default(),
            generation: Arc::clone(&stands.generation),
            fuse: Arc::clone(&stands.fuse),
            late: Arc::clone(&stands.late),
            names,
            queue: Queue::new(),
        }
    }

    /// Has those who wait find out that it was for too long, whatever becomes of the executor.
    pub(super) fn watch_time(self: &Arc<Self>) {
        let near = Arc::downgrade(self);
        let sweep = move |now| near.upgrade().is_some_and(|near| near.sweep(now));
        thread::spawn(Arc::clone(&self.ticks).go_on(sweep));
    }

    /// Takes note that the executor has ended: what is asked for is asked for elsewhere.
    pub(super) fn close(&self) {
        *self.connected.write() = None;
        self.queue.close();
    }

    /// Keeps a connection beside the tier's own, until that is given up.
    pub(super) async fn keep(&self, mut changes: watch::Receiver<Option<Standing>>) {
        for id in 0.. {
            let standing = changes.borrow_and_update().clone();
            let Some(standing) = standing else {
                if changes.changed().await.is_err() {
                    return;
                }
                continue;
            };
            let connecting = time::timeout(dial::CONNECT, connect(&standing)).await;
            let Ok(Some(connection)) = connecting else {
                tokio::select! {
                    outcome = changes.changed() => if outcome.is_err() { return },
                    () = time::sleep(PAUSE) => {}
                }
                continue;
            };
            let Standing { run, generation, .. } = standing;
            *self.connected.write() = Some(Connected { connection, run, generation, id });
            let outcome = tokio::select! {
                outcome = changes.changed() => outcome,
                () = self.left.notified() => Ok(()),
            };
            *self.connected.write() = None;
            if outcome.is_err() {
                return;
            }
            // One that is late all the time is not connected to all the time.
            time::sleep(PAUSE).await;
        }
    }

    /// Reads. Nothing if it has to be asked for elsewhere.
    ///
    /// # Cancellation
    ///
    /// Safe to drop: those who wait behind it are asked for all the same.
    pub(super) async fn read(
        self: &Arc<Self>,
        asked: Asked,
        patience: Duration,
    ) -> Option<Outcome> {
        let generation = self.generation()?;
        let term = Term::new(patience);
        let outcome = match self.queue.wait(asked, term) {
            Ok(received) => {
                self.ticks.begin();
                received.await.unwrap_or(Err(Fault::Down))
            }
            Err((asked, ticket)) => {
                let _trip = Trip(self, ticket);
                let trip = (wire::read(&self.names, asked.iter().copied()), asked.len());
                let give_up = |now| (u64::from(now >= term.until), now >= term.until);
                // Boxed, as most go with others, and need no room for it.
                Box::pin(self.ask(trip, give_up)).await.map(Found::from)
            }
        };
        match outcome {
            // What another stands for by now is asked for there.
            Ok(found) => self.stands(generation).then_some(Ok(found)),
            Err(Fault::Down) => None,
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Makes trips until nobody waits.
    async fn carry(self: Arc<Self>, first: Reads) {
        let mut next = Some(first);
        while let Some(reads) = next {
            let trip = {
                let mut reads = reads.lock();
                let names = reads.names();
                let count = names.len();
                (wire::read(&self.names, names), count)
            };
            // Each is looked after at each tick.
            let nobody_waits = |_| (0, reads.lock().is_empty());
            let outcome = self.ask(trip, nobody_waits).await;
            next = self.queue.end(&reads, outcome);
        }
    }

    /// Makes a trip for so many keys. At each tick, `give_up` says how many have waited for too long by
    /// then, and whether nobody waits any more.
    async fn ask(
        &self,
        (command, count): (Cmd, usize),
        mut give_up: impl FnMut(Instant) -> (u64, bool),
    ) -> Result<Vec<Option<Bytes>>, Fault> {
        let Some(connected) = self.connected() else { return Err(Fault::Down) };
        let give_up = |now| {
            let (late, is_over) = give_up(now);
            self.late.fetch_add(late, Ordering::Relaxed);
            is_over
        };
        let outcome = match self.ticks.within(connected.ask(&command), give_up).await {
            Ok(Some(answer)) => {
                return wire::found(count, answer, connected.run).ok_or(Fault::Foreign);
            }
            Ok(None) => Err(Fault::Down),
            Err(fault) => Err(fault),
        };
        self.leave(connected.id);
        outcome
    }

    /// Looks after those who wait. Says whether anyone does.
    fn sweep(self: &Arc<Self>, now: Instant) -> bool {
        let Swept { late, is_anyone, next } = self.queue.sweep(now);
        self.late.fetch_add(late, Ordering::Relaxed);
        for reads in next {
            self.send(reads);
        }
        is_anyone
    }

    fn send(self: &Arc<Self>, reads: Reads) {
        drop(self.executor.spawn(Arc::clone(self).carry(reads)));
    }

    fn leave(&self, id: u64) {
        let mut connected = self.connected.write();
        if connected.as_ref().is_some_and(|it| it.id == id) {
            *connected = None;
            self.left.notify_one();
        }
    }

    /// The connection, if it may be used.
    fn connected(&self) -> Option<Connected> {
        let connected = self.connected.read().clone()?;
        self.may_ask(connected.generation).then_some(connected)
    }

    /// What the connection was made beside, if it may be used.
    fn generation(&self) -> Option<u64> {
        let generation = self.connected.read().as_ref()?.generation;
        self.may_ask(generation).then_some(generation)
    }

    fn may_ask(&self, generation: u64) -> bool {
        self.stands(generation) && self.fuse.state() == Breaker::Closed
    }

    fn stands(&self, generation: u64) -> bool {
        // Acquire: meets the Release of who says what stands.
        self.generation.load(Ordering::Acquire) == generation
    }
}

impl Drop for Trip<'_> {
    fn drop(&mut self) {
        if let Some(reads) = self.0.queue.come_back(&self.1) {
            self.0.send(reads);
        }
    }
}

impl Connected {
    /// Asks, unless the connection has ended.
    async fn ask(&self, command: &Cmd) -> Option<Value> {
        self.connection.clone().send_packed_command(command).await.ok()
    }
}

/// Connects to what stands, and to nothing else.
async fn connect(standing: &Standing) -> Option<MultiplexedConnection> {
    let mut connection = dial::dial(standing.info.clone(), &dial::config()).await.ok()?;
    let mut question = cmd("INFO");
    question.arg(dial::SECTIONS);
    let answer = connection.send_packed_command(&question).await.ok()?;
    (dial::life_of(&answer) == Some(standing.life)).then_some(connection)
}
