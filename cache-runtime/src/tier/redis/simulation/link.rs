//! A process's connection, as [`link`](super::super::link) keeps it: made, watched by heartbeats, and
//! made anew.

use super::super::link::Ear;
use super::super::planted::{self, Bug};
use super::super::server::{Command, Fault, Key, Replies, Reply, Run, Server, Task, Timed, Work};
use super::super::statistics::RedisStats;
use super::host::{Asked, Host, Reader, Said};
use super::keyspace::Line;
use super::oracle::Oracle;
use super::promise::{Keeper, promise};
use super::time::{Owner, Time};
use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant};

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(1);

pub(super) struct Link {
    pub(super) time: Arc<Time>,
    pub(super) host: Arc<Host>,
    pub(super) oracle: Arc<Oracle>,
    pub(super) owner: Owner,
    pub(super) bound: Duration,
    pub(super) ear: Weak<dyn Ear>,
    pub(super) me: Weak<Link>,
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    line: Option<Line>,
    opened: Duration,
    run: Run,
    is_up: bool,
    vouched: Duration,
    reading: Option<Reading>,
    next: u64,
    waiting: BTreeMap<u64, Keeper<Result<Vec<Reply>, Fault>>>,
    /// Woken when the line is ready, at its end, and for a heartbeat.
    alarm: Option<Keeper<()>>,
    is_closed: bool,
}

/// A reading of the server's clock.
#[derive(Clone, Copy)]
struct Reading {
    server: Duration,
    asked: Duration,
    answered: Duration,
}

/// The link, as the tier holds it.
pub(super) struct Handle(pub(super) Arc<Link>);

impl Server for Handle {
    fn send(&self, commands: Vec<Command>, patience: Duration) -> Replies {
        let link = &self.0;
        let mut state = link.state.lock();
        let Some(to) = state.line.filter(|_| state.is_up) else {
            return Box::pin(async { Err(Fault::Down) });
        };
        let (answer, keeper) = promise();
        state.next += 1;
        let number = state.next;
        state.waiting.insert(number, keeper.clone());
        drop(state);
        link.host.ask(to, Asked::Trip(number, commands));
        let me = Weak::clone(&link.me);
        let hurry = move || {
            keeper.keep(Err(Fault::Late));
            me.upgrade().map(|link| link.state.lock().waiting.remove(&number));
        };
        link.time.after(patience, link.owner, hurry);
        Box::pin(answer)
    }

    fn keeps_order(&self) -> bool {
        true
    }

    fn is_up(&self) -> bool {
        self.0.state.lock().is_up
    }

    fn vouches(&self) -> bool {
        let state = self.0.state.lock();
        state.is_up && self.0.time.now() < state.vouched
    }

    fn stats(&self) -> RedisStats {
        RedisStats::NONE
    }

    fn time(&self, _: &dyn Fn() -> Key) -> Option<Timed> {
        let Reading { server, asked, answered } = self.0.state.lock().reading?;
        let now = self.0.time.now();
        Some(Timed {
            earliest: server + now.saturating_sub(answered),
            latest: server + now.saturating_sub(asked),
        })
    }

    fn spawn(&self, task: Task) {
        self.0.time.spawn(self.0.owner, task);
    }

    fn aside(&self, work: Work) {
        work();
    }

    fn now(&self) -> Instant {
        *ORIGIN + self.0.time.now()
    }
}

impl Link {
    /// Keeps a connection for as long as the process lives.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            let reader: Weak<dyn Reader> = Weak::clone(&self.me) as Weak<dyn Reader>;
            if let Some(line) = self.host.open(self.owner, reader) {
                self.begin(line);
                self.serve(line).await;
                self.end(line);
            }
            self.time.sleep(self.time.micros(10_000..300_000)).await;
        }
    }

    fn begin(&self, line: Line) {
        let (opened, mut state) = (self.time.now(), self.state.lock());
        let next = state.next;
        *state = State { line: Some(line), opened, next, ..State::default() };
        drop(state);
        self.host.ask(line, Asked::SetUp);
    }

    fn end(&self, line: Line) {
        self.oracle.disturb(Some(self.owner));
        self.host.close(line);
        let mut state = self.state.lock();
        (state.is_up, state.line) = (false, None);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for keeper in waiting.into_values() {
            keeper.keep(Err(Fault::Down));
        }
    }

    /// Sends heartbeats until the connection ends.
    async fn serve(&self, line: Line) {
        let begun = self.time.now();
        loop {
            self.rest().await;
            let now = self.time.now();
            let state = self.state.lock();
            let is_over = if state.is_up { now >= state.vouched } else { now >= begun + CONNECT };
            if state.is_closed || is_over {
                return;
            }
            if state.is_up {
                drop(state);
                self.host.ask(line, Asked::Beat(now));
            }
        }
    }

    /// Waits until the next heartbeat is due, or something happens to the line.
    async fn rest(&self) {
        let (rung, alarm) = promise();
        self.state.lock().alarm = Some(alarm.clone());
        self.time.after(self.bound / 4, self.owner, move || alarm.keep(()));
        if !self.state.lock().is_closed {
            rung.await;
        }
    }

    fn note(&self, server: Duration, asked: Duration) {
        let (mut state, now) = (self.state.lock(), self.time.now());
        state.reading = Some(Reading { server, asked, answered: now });
        let since = if planted::is(Bug::VouchedFromTheAnswer) { now } else { asked };
        state.vouched = state.vouched.max(since + self.bound);
    }

    fn ready(&self, run: Run, server: Duration, asked: Duration) {
        self.note(server, asked);
        self.state.lock().run = if planted::is(Bug::RunIgnored) { Run::default() } else { run };
        let lost = {
            let ear = Weak::clone(&self.ear);
            move || ear.upgrade().iter().for_each(|ear| ear.lost())
        };
        if planted::is(Bug::UpBeforeForgetting) {
            self.time.after(self.time.micros(0..400_000), self.owner, lost);
        } else if !planted::is(Bug::NothingForgotten) {
            lost();
        }
        self.state.lock().is_up = true;
    }
}

impl Reader for Link {
    fn read(&self, line: Line, said: Said) {
        if self.state.lock().line != Some(line) {
            return;
        }
        match said {
            Said::Ready(run, server) => {
                let asked = self.state.lock().opened;
                self.ready(run, server, asked);
            }
            Said::Beat { asked, time } => self.note(time, asked),
            Said::Answer(number, mut replies) => {
                let mut state = self.state.lock();
                let (keeper, run) = (state.waiting.remove(&number), state.run);
                drop(state);
                for reply in &mut replies {
                    in_run(reply, run);
                }
                if let Some(keeper) = keeper {
                    keeper.keep(Ok(replies));
                }
            }
            Said::Changed(key) => {
                let ear = Weak::clone(&self.ear);
                let tell = move || {
                    ear.upgrade()
                        .into_iter()
                        .for_each(|it| it.changed(&mut std::iter::once(&key[..])));
                };
                if planted::is(Bug::ToldThroughAQueue) {
                    self.time.after(self.time.micros(0..3_000_000), self.owner, tell);
                } else {
                    tell();
                }
            }
            Said::Flushed => self.ear.upgrade().iter().for_each(|ear| ear.lost()),
            Said::Closed => {
                self.state.lock().is_closed = true;
                let alarm = self.state.lock().alarm.take();
                if let Some(alarm) = alarm {
                    alarm.keep(());
                }
            }
        }
    }
}

/// Bytes are of the run that the connection says it is to.
fn in_run(reply: &mut Reply, run: Run) {
    if let Reply::Found(found) = reply {
        found.iter_mut().flatten().for_each(|bytes| bytes.run = run);
    }
}
