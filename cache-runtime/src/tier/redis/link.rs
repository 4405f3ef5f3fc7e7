//! One connection to one server, as long as there is one: made, watched, and made anew.
//!
//! 1. What the server tells of changed keys is heard inside the connection's reader, before any later
//!    answer is handed out.
//! 2. It is up only once everything from before has been forgotten: what was changed while nobody
//!    listened is not known. So is what was kept while it was not asked, as the server never heard of
//!    that.
//! 3. A server tells nobody of what it evicted to make room for that one's own command. So every
//!    heartbeat asks how much it has evicted, and before it vouches, everything is forgotten if that
//!    is more than before.
//! 4. It vouches from the sending of an answered heartbeat on, never from the answer, on a clock that
//!    does not stand still while the machine sleeps.

use super::batch::Term;
use super::breaker::{Breaker, Fuse};
use super::complaints::{Complaint, Complaints};
use super::origin::Origin;
use super::outbox::{self, Letter};
use super::requests::{Request, Requests};
use super::server::{Command, Fault, Key, Replies, Reply, Run, Server, Timed};
use super::statistics::{RedisStats, ServerStats};
use super::{dial, thread, wire};
use crate::sync::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{ConnectionInfo, PushInfo, PushKind, ServerErrorKind, Value, cmd, pipe};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{self, Instant};

/// How long to wait before connecting again, at first and at last.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How many requests are taken at once, and from what patience on one may wait for others.
const MOST: usize = 256;
const HURRY: Duration = Duration::from_millis(20);

/// Who is told what happens to a connection.
pub(super) trait Ear: Send + Sync {
    /// Keys that have changed.
    fn changed(self: Arc<Self>, keys: &mut dyn Iterator<Item = &[u8]>);

    /// Any key may have.
    fn lost(&self);
}

/// The way to one server.
pub(super) struct Link {
    requests: mpsc::UnboundedSender<Letter>,
    state: Arc<State>,
}

struct State {
    origin: Origin,
    is_up: AtomicBool,
    fuse: Arc<Fuse>,
    standing: watch::Sender<Option<Standing>>,
    /// Of what stands; 0 while nothing does.
    generation: Arc<AtomicU64>,
    /// Until when, in nanoseconds of [`awake`], it vouches for what was read.
    vouched: AtomicU64,
    time: Mutex<Option<Reading>>,
    bound: Duration,
    /// Whether another run of the server is the same as the last.
    trusts: bool,
    /// Whether reads may be sent as one: not where their keys may be in several slots.
    joins: bool,
    ear: Weak<dyn Ear>,
    connections: AtomicU64,
    /// Whether it has been tried to connect.
    is_tried: AtomicBool,
    late: Arc<AtomicU64>,
    /// One more than the keys that the server had evicted at the last heartbeat; 0 before the first.
    evicted: AtomicU64,
    changes: Arc<AtomicU64>,
    complaints: Complaints,
}

/// What there is a connection to, for others that are to lead to the very same.
#[derive(Clone)]
pub(super) struct Standing {
    pub(super) info: ConnectionInfo,
    /// What it says of itself.
    pub(super) life: Run,
    /// What versions that it has are mixed with.
    pub(super) run: Run,
    /// Which connection it is, from 1.
    pub(super) generation: u64,
}

/// Where others see what stands.
pub(super) struct Stands {
    pub(super) changes: watch::Receiver<Option<Standing>>,
    pub(super) generation: Arc<AtomicU64>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) late: Arc<AtomicU64>,
}

/// A reading of a server's clock.
#[derive(Clone, Copy)]
struct Reading {
    server: Duration,
    asked: Instant,
    answered: Instant,
}

/// A connection that can be used.
struct Connected {
    connection: MultiplexedConnection,
    standing: Standing,
    ended: Arc<Notify>,
}

impl Link {
    pub(super) fn new(
        origin: Origin,
        bound: Duration,
        trusts: bool,
        ear: Weak<dyn Ear>,
        joins: bool,
    ) -> Self {
        let (requests, received) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            origin,
            is_up: AtomicBool::new(false),
            fuse: Arc::default(),
            standing: watch::Sender::new(None),
            generation: Arc::default(),
            vouched: AtomicU64::new(0),
            time: Mutex::new(None),
            bound,
            trusts,
            joins,
            ear,
            connections: AtomicU64::new(0),
            is_tried: AtomicBool::new(false),
            late: Arc::default(),
            evicted: AtomicU64::new(0),
            changes: Arc::default(),
            complaints: Complaints::default(),
        });
        thread::spawn(Arc::clone(&state).keep(received));
        Self { requests, state }
    }

    /// What it leads to, now and later.
    pub(super) fn stands(&self) -> Stands {
        let state = &self.state;
        let (generation, fuse) = (Arc::clone(&state.generation), Arc::clone(&state.fuse));
        let late = Arc::clone(&state.late);
        Stands { changes: state.standing.subscribe(), generation, fuse, late }
    }
}

impl Server for Link {
    fn send(&self, commands: Vec<Command>, patience: Duration) -> Replies {
        let (replies, received) = oneshot::channel();
        let is_up = self.state.is_up.load(Ordering::Acquire);
        let is_sent = (is_up && self.state.fuse.lets_through() || self.state.is_new())
            && outbox::send(
                &self.requests,
                Request { commands, term: Term::new(patience), replies },
            );
        if is_sent && !is_up {
            // It waits for the first connection, for no longer than for an answer.
            return hastened(received, patience);
        }
        Box::pin(async move {
            if !is_sent {
                return Err(Fault::Down);
            }
            received.await.unwrap_or(Err(Fault::Down))
        })
    }

    fn keeps_order(&self) -> bool {
        true
    }

    fn is_up(&self) -> bool {
        let is_up = self.state.is_up.load(Ordering::Acquire);
        is_up && self.state.fuse.state() != Breaker::Open || self.state.is_new()
    }

    fn vouches(&self) -> bool {
        let is_up = self.state.is_up.load(Ordering::Acquire);
        is_up && awake() < self.state.vouched.load(Ordering::Acquire)
    }

    fn stats(&self) -> RedisStats {
        let state = &self.state;
        let is_up = state.is_up.load(Ordering::Relaxed);
        let breaker = if is_up { state.fuse.state() } else { Breaker::Open };
        let breaker_openings = state.fuse.opened.load(Ordering::Relaxed);
        let address = state.origin.address();
        RedisStats {
            servers: vec![ServerStats { address, breaker, breaker_openings }],
            breaker,
            breaker_openings,
            connections: state.connections.load(Ordering::Relaxed),
            late: state.late.load(Ordering::Relaxed),
            changes: state.changes.load(Ordering::Relaxed),
            ..RedisStats::NONE
        }
    }

    fn time(&self, _: &dyn Fn() -> Key) -> Option<Timed> {
        let Reading { server, asked, answered } = (*self.state.time.lock())?;
        let now = Instant::now();
        Some(Timed {
            earliest: server + now.duration_since(answered),
            latest: server + now.duration_since(asked),
        })
    }
}

/// Ends with the answer, or when there is no more patience.
fn hastened(received: oneshot::Receiver<Result<Vec<Reply>, Fault>>, patience: Duration) -> Replies {
    let (replies, hastened) = oneshot::channel();
    thread::spawn(async move {
        let outcome = time::timeout(patience, received).await;
        let _ = replies.send(outcome.map_or(Err(Fault::Late), |it| it.unwrap_or(Err(Fault::Down))));
    });
    Box::pin(async { hastened.await.unwrap_or(Err(Fault::Down)) })
}

impl State {
    /// Whether the first connection is still being made.
    fn is_new(&self) -> bool {
        !self.is_tried.load(Ordering::Acquire)
    }

    /// Keeps a connection, for as long as anyone may ask for it.
    async fn keep(self: Arc<Self>, mut requests: mpsc::UnboundedReceiver<Letter>) {
        let mut pause = SHORTEST_PAUSE;
        let mut has_complained = false;
        loop {
            let connecting = time::timeout(dial::CONNECT, self.connect());
            let Some(connected) = self.meanwhile(&mut requests, connecting).await else { return };
            match connected.unwrap_or_else(|_| Err("it does not answer in time".to_owned())) {
                Ok(connected) => {
                    pause = SHORTEST_PAUSE;
                    self.note_answers();
                    self.complaints.forget();
                    if std::mem::take(&mut has_complained) {
                        log::info!("the Redis tier is back at {}", self.origin.address());
                    }
                    if !self.serve(&connected, &mut requests).await {
                        return;
                    }
                }
                Err(why) => {
                    self.is_tried.store(true, Ordering::Release);
                    if !std::mem::replace(&mut has_complained, true) {
                        let address = self.origin.address();
                        log::warn!("the Redis tier is done without: {address}: {why}");
                    }
                }
            }
            let resting = time::sleep(jittered(pause));
            if self.meanwhile(&mut requests, resting).await.is_none() {
                return;
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// Tells whoever asks that there is no connection, until something ends. Who asked for the first
    /// one waits for it. Nothing if nobody will ask any more.
    async fn meanwhile<T>(
        &self,
        requests: &mut mpsc::UnboundedReceiver<Letter>,
        other: impl Future<Output = T>,
    ) -> Option<T> {
        let mut other = pin!(other);
        if self.is_new() {
            return Some(other.await);
        }
        loop {
            tokio::select! {
                biased;
                // Also of what was asked when there seemed to be one.
                letter = requests.recv() => {
                    for request in letter? {
                        // Nobody may wait for it any more.
                        let _ = request.replies.send(Err(Fault::Down));
                    }
                }
                outcome = &mut other => return Some(outcome),
            }
        }
    }

    async fn connect(&self) -> Result<Connected, String> {
        let ended = Arc::new(Notify::new());
        let (ear, end) = (Weak::clone(&self.ear), Arc::clone(&ended));
        let changes = Arc::clone(&self.changes);
        let listen = move |push: PushInfo| {
            hear(&push, &ear, &end, &changes);
            Ok::<(), ()>(())
        };
        let config = dial::config().set_push_sender(listen);
        let info = self.origin.find().await?;
        let mut connection = dial::dial(info.clone(), &config).await?;
        let mut tracking = cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON").arg("NOLOOP");
        let answer = connection.send_packed_command(&tracking).await;
        let answer = answer.map_err(|error| dial::said(&error))?;
        if answer != Value::Okay {
            return Err(dial::refused(&[answer]));
        }
        // Of another connection, or another server.
        self.evicted.store(0, Ordering::Relaxed);
        let life = self.check(connection.clone(), None).await?;
        let generation = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let run = if self.trusts { Run::default() } else { life };
        let standing = Standing { info, life, run, generation };
        Ok(Connected { connection, standing, ended })
    }

    /// Takes note of an answered heartbeat.
    fn note(&self, server: Duration, (asked, awake): (Instant, u64)) {
        *self.time.lock() = Some(Reading { server, asked, answered: Instant::now() });
        let until = awake.saturating_add(nanos(self.bound));
        // Release: meets the Acquire in `vouches`; what was heard until now comes first.
        self.vouched.fetch_max(until, Ordering::Release);
    }

    /// Serves requests until the connection ends; false if nobody will ask any more.
    async fn serve(
        self: &Arc<Self>,
        connected: &Connected,
        requests: &mut mpsc::UnboundedReceiver<Letter>,
    ) -> bool {
        // Before the first attempt to connect, nobody did without.
        let is_first = self.is_new();
        if !is_first {
            self.lose();
        }
        self.fuse.succeeded();
        // Release: meets the Acquire in `send`; what was known before has been forgotten.
        self.is_up.store(true, Ordering::Release);
        if !is_first {
            // Once more: what was kept since then may have been taken for kept while it was down.
            self.lose();
        }
        self.is_tried.store(true, Ordering::Release);
        self.stand(Some(connected.standing.clone()));
        let mut beat = time::interval(self.bound / 4);
        let is_wanted = loop {
            tokio::select! {
                biased;
                () = connected.ended.notified() => break true,
                letter = requests.recv() => match letter {
                    Some(letter) => self.answer_all(connected, letter, requests),
                    None => break false,
                },
                _ = beat.tick() => {
                    if awake() >= self.vouched.load(Ordering::Relaxed) {
                        break true;
                    }
                    let (ended, life) = (Arc::clone(&connected.ended), connected.standing.life);
                    let connection = connected.connection.clone();
                    tokio::spawn(Arc::clone(self).beat(connection, life, ended));
                }
            }
        };
        self.is_up.store(false, Ordering::Release);
        self.stand(None);
        is_wanted
    }

    fn stand(&self, standing: Option<Standing>) {
        // Release: meets the Acquire of who compares. What was read elsewhere is not taken any more.
        self.generation.store(standing.as_ref().map_or(0, |it| it.generation), Ordering::Release);
        self.standing.send_replace(standing);
    }

    fn lose(&self) {
        if let Some(ear) = self.ear.upgrade() {
            ear.lost();
        }
    }

    /// Sends one heartbeat. Who is a primary no longer is left, and so is who has become one again.
    async fn beat(
        self: Arc<Self>,
        connection: MultiplexedConnection,
        life: Run,
        ended: Arc<Notify>,
    ) {
        if let Ok(Err(_)) = time::timeout(self.bound, self.check(connection, Some(life))).await {
            ended.notify_one();
        }
    }

    /// Forgets everything if keys have been evicted since the last heartbeat.
    fn note_evicted(&self, keys: u64) {
        let now = keys.saturating_add(1);
        // Less than before, somebody has set it back.
        let before = self.evicted.swap(now, Ordering::Relaxed);
        if before != 0 && before != now {
            self.lose();
        }
    }

    /// Takes note that the server answers, and of its time, unless it lives another life than the one
    /// that is known of. Where it may be demoted without a word, it has to write something, too.
    async fn check(
        &self,
        mut connection: MultiplexedConnection,
        known: Option<Run>,
    ) -> Result<Run, String> {
        let asked = (Instant::now(), awake());
        let mut beat = pipe();
        beat.cmd("TIME");
        beat.cmd("INFO").arg(dial::SECTIONS);
        if let Some(key) = self.origin.heartbeat() {
            beat.cmd("SET").arg(key).arg(1).arg("EX").arg(60);
        }
        let count = beat.len();
        let answers = connection.send_packed_commands(&beat, 0, count).await;
        let answers = answers.map_err(|error| dial::said(&error))?;
        let server = answers.first().and_then(time_of).ok_or_else(|| dial::refused(&answers))?;
        let is_primary = !answers.iter().any(|answer| match answer {
            Value::ServerError(error) => {
                error.kind() == Some(ServerErrorKind::ReadOnly) || error.code() == "NOREPLICAS"
            }
            _ => false,
        });
        if !is_primary {
            return Err("it is a replica".to_owned());
        }
        let info = answers.get(1);
        let life = info.and_then(dial::life_of).ok_or_else(|| dial::refused(&answers))?;
        if known.is_some_and(|known| known != life) {
            return Err("it lives another life, as after a failover".to_owned());
        }
        if let Some(keys) = info.and_then(dial::evicted) {
            self.note_evicted(keys);
        }
        self.note(server, asked);
        Ok(life)
    }

    /// Sends all that is to be sent by now: reads and re-checks in one.
    fn answer_all(
        self: &Arc<Self>,
        connected: &Connected,
        first: Letter,
        requests: &mut mpsc::UnboundedReceiver<Letter>,
    ) {
        let mut batch = Requests::new();
        let more = std::iter::from_fn(|| requests.try_recv().ok()).take(MOST);
        for request in std::iter::once(first).chain(more).flatten() {
            let alone = if self.joins { batch.take(request, HURRY) } else { Some(request) };
            if let Some(request) = alone {
                self.answer(connected, request);
            }
        }
        let Some(term) = batch.longest() else { return };
        let (state, run) = (Arc::clone(self), connected.standing.run);
        let connection = connected.connection.clone();
        tokio::spawn(async move {
            let commands = batch.commands();
            let mut asked = pin!(state.ask(connection, run, &commands, term));
            let outcome = loop {
                let Some(end) = batch.next_end() else { break asked.await };
                tokio::select! {
                    biased;
                    outcome = &mut asked => break outcome,
                    () = time::sleep_until(end) => {
                        state.late.fetch_add(batch.give_up(Instant::now()), Ordering::Relaxed);
                    }
                }
            };
            batch.answer(outcome);
        });
    }

    /// Says that the server answers again, if it was said that it does not.
    fn note_answers(&self) {
        if self.complaints.withdraw(Complaint::Silent) {
            log::info!("the Redis tier at {} is asked again", self.origin.address());
        }
    }

    fn answer(self: &Arc<Self>, connected: &Connected, request: Request) {
        let (state, run) = (Arc::clone(self), connected.standing.run);
        let connection = connected.connection.clone();
        tokio::spawn(async move {
            let Request { commands, term, replies } = request;
            let _ = replies.send(state.ask(connection, run, &commands, term).await);
        });
    }

    async fn ask(
        &self,
        mut connection: MultiplexedConnection,
        run: Run,
        commands: &[Command],
        term: Term,
    ) -> Result<Vec<Reply>, Fault> {
        let pipeline = wire::pipeline(commands);
        let asked = connection.send_packed_commands(&pipeline, 0, commands.len());
        let is_fair = term.is_fair();
        let outcome = match time::timeout_at(term.until, asked).await {
            Ok(Ok(answers)) if answers.len() == commands.len() => {
                let answers = commands.iter().zip(answers);
                let reply = |(command, answer)| wire::reply(command, answer, run);
                Ok(answers.map(reply).collect::<Vec<_>>())
            }
            Ok(Ok(_)) => Err(Fault::Foreign),
            Ok(Err(_)) => Err(Fault::Down),
            Err(_) => {
                self.late.fetch_add(1, Ordering::Relaxed);
                Err(Fault::Late)
            }
        };
        match &outcome {
            Ok(replies) => {
                self.complaints.say_refused(replies, || self.origin.address());
                if self.fuse.succeeded() {
                    self.lose();
                    self.note_answers();
                }
            }
            // It waited here.
            Err(Fault::Late) if !is_fair => self.fuse.undecided(),
            Err(_) if self.fuse.failed() => {
                self.complaints.say(Complaint::Silent, || self.origin.address());
            }
            Err(_) => {}
        }
        outcome
    }
}

/// Hears what a server tells unasked.
fn hear(push: &PushInfo, ear: &Weak<dyn Ear>, end: &Notify, changes: &AtomicU64) {
    match push.kind {
        PushKind::Disconnection => end.notify_one(),
        PushKind::Invalidate => {
            let Some(ear) = ear.upgrade() else { return };
            match &push.data[..] {
                [Value::Array(keys)] => {
                    changes.fetch_add(keys.len() as u64, Ordering::Relaxed);
                    ear.changed(&mut keys.iter().filter_map(|key| match key {
                        Value::BulkString(key) => Some(&key[..]),
                        _ => None,
                    }));
                }
                // Everything was removed, or it is something this does not understand.
                _ => ear.lost(),
            }
        }
        _ => {}
    }
}

fn time_of(answer: &Value) -> Option<Duration> {
    let Value::Array(parts) = answer else { return None };
    let [Value::BulkString(seconds), Value::BulkString(micros)] = &parts[..] else { return None };
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u32>().ok();
    Some(
        Duration::from_secs(number(seconds)?.into())
            + Duration::from_micros(number(micros)?.into()),
    )
}

/// Time since the machine was started, in nanoseconds, its sleep included.
fn awake() -> u64 {
    #[cfg(target_os = "linux")]
    {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let (seconds, nanos) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
        seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)
    }
    #[cfg(not(target_os = "linux"))]
    {
        static ORIGIN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        nanos(ORIGIN.elapsed()) + 1
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Between a half and all of it.
fn jittered(pause: Duration) -> Duration {
    let [random, ..] = super::random();
    pause.mul_f64(0.5 + f64::from(random) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::{Ear, Link, Origin, Request, Term, outbox};
    use crate::tier::redis::server::Fault;
    use crate::tier::redis::thread;
    use std::io::{ErrorKind, Read};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Weak;
    use std::time::Duration;
    use tokio::sync::oneshot;

    struct Deaf;

    impl Ear for Deaf {
        fn changed(self: std::sync::Arc<Self>, _: &mut dyn Iterator<Item = &[u8]>) {}

        fn lost(&self) {}
    }

    /// Whether the other side has given up.
    fn is_closed(mut stream: &TcpStream) -> bool {
        stream.set_nonblocking(true).unwrap();
        loop {
            match stream.read(&mut [0; 64]) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    #[test]
    fn c7_what_was_asked_when_there_seemed_to_be_a_connection_does_not_wait_for_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}?protocol=resp3", listener.local_addr().unwrap());
        thread::start().unwrap();
        let ear: Weak<dyn Ear> = Weak::<Deaf>::new();
        let origin = Origin::Fixed(url.parse().unwrap());
        let link = Link::new(origin, Duration::from_secs(1), false, ear, true);
        drop(listener.accept().unwrap());
        // The next attempt: it does not end before it is given up.
        let (second, _) = listener.accept().unwrap();
        let (replies, received) = oneshot::channel();
        let term = Term::new(Duration::from_millis(100));
        assert!(outbox::send(&link.requests, Request { commands: Vec::new(), term, replies }));
        assert_eq!(received.blocking_recv().unwrap(), Err(Fault::Down));
        assert!(!is_closed(&second), "it was answered once the attempt had failed");
    }
}
