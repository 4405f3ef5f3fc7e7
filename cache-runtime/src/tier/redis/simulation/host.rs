//! A server and the lines to it.
//!
//! 1. What is sent on a line arrives in its order, in each direction, however late; from where the
//!    line is cut on, nothing does.
//! 2. What was sent takes effect, if it arrives, whether its sender is still there or not.
//! 3. A server that starts anew is another run, with the keys of some moment before, or none.

use super::super::server::{Command, Key, Reply, Run};
use super::keyspace::{Doer, Happened, Keys, Keyspace, Line};
use super::oracle::Oracle;
use super::time::{NATURE, Owner, Time};
use crate::sync::Mutex;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// What is sent to a server.
pub(super) enum Asked {
    SetUp,
    Beat(Duration),
    Trip(u64, Vec<Command>),
}

/// What a server sends.
pub(super) enum Said {
    Ready(Run, Duration),
    Beat { asked: Duration, time: Duration },
    Answer(u64, Vec<Reply>),
    Changed(Key),
    Flushed,
    Closed,
}

/// Who reads what a server sends.
pub(super) trait Reader: Send + Sync {
    fn read(&self, line: Line, said: Said);
}

/// Which way a line is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    ToServer,
    FromServer,
    /// As soon as the server has done what it is asked for next.
    AfterNext,
    Both,
}

pub(super) struct Host {
    time: Arc<Time>,
    oracle: Arc<Oracle>,
    me: Weak<Self>,
    state: Mutex<State>,
}

struct State {
    keyspace: Keyspace,
    lines: BTreeMap<Line, Ends>,
    next: u64,
    is_running: bool,
    /// What the server's clock shows beyond ours.
    ahead: Duration,
    paused: Duration,
    /// The keys of some moment.
    snapshot: Keys,
}

struct Ends {
    owner: Owner,
    reader: Weak<dyn Reader>,
    inbox: VecDeque<Asked>,
    is_busy: bool,
    /// Until when what was sent is under way, there and back.
    way: [Duration; 2],
    is_cut: [bool; 2],
    is_cut_after_next: bool,
    slow: Duration,
}

const TO: usize = 0;
const FROM: usize = 1;

impl Host {
    pub(super) fn new(time: &Arc<Time>, oracle: &Arc<Oracle>) -> Arc<Self> {
        let mut keyspace = Keyspace::default();
        keyspace.restart(Keys::new(), super::random());
        let state = State {
            keyspace,
            lines: BTreeMap::new(),
            next: 0,
            is_running: true,
            ahead: Duration::from_secs(1_000),
            paused: Duration::ZERO,
            snapshot: Keys::new(),
        };
        let (time, oracle) = (Arc::clone(time), Arc::clone(oracle));
        Arc::new_cyclic(|me| Self { time, oracle, me: Weak::clone(me), state: Mutex::new(state) })
    }

    /// A new line, if the server can be reached.
    pub(super) fn open(&self, owner: Owner, reader: Weak<dyn Reader>) -> Option<Line> {
        let mut state = self.state.lock();
        if !state.is_running {
            return None;
        }
        state.next += 1;
        let line = Line(state.next);
        let ends = Ends {
            owner,
            reader,
            inbox: VecDeque::new(),
            is_busy: false,
            way: [Duration::ZERO; 2],
            is_cut: [false; 2],
            is_cut_after_next: false,
            slow: Duration::ZERO,
        };
        state.lines.insert(line, ends);
        Some(line)
    }

    /// Ends a line, as its process does.
    pub(super) fn close(&self, line: Line) {
        let mut state = self.state.lock();
        if let Some(ends) = state.lines.get_mut(&line) {
            ends.is_cut[FROM] = true;
        }
        state.keyspace.forget_reader(line);
    }

    /// How long something is under way.
    fn delay(&self, ends: &Ends) -> Duration {
        let time = &self.time;
        let usual = match time.any(0..100) {
            0..=2 => time.micros(1_000..90_000),
            3..=14 => time.micros(500..8_000),
            _ => time.micros(50..500),
        };
        if ends.slow > time.now() { usual + time.micros(0..1_500_000) } else { usual }
    }

    pub(super) fn ask(&self, line: Line, asked: Asked) {
        let mut state = self.state.lock();
        let Some(ends) = state.lines.get_mut(&line) else { return };
        if let Some(span) = self.way(ends, TO) {
            let me = Weak::clone(&self.me);
            let arrive = move || {
                if let Some(me) = me.upgrade() {
                    me.arrive(line, asked);
                }
            };
            self.time.after(span, NATURE, arrive);
        }
    }

    /// How long until what is sent now arrives, if it does.
    fn way(&self, ends: &mut Ends, direction: usize) -> Option<Duration> {
        let now = self.time.now();
        let arrives = ends.way[direction].max(now + self.delay(ends));
        ends.way[direction] = arrives;
        (!ends.is_cut[direction]).then(|| arrives.saturating_sub(now))
    }

    fn arrive(self: &Arc<Self>, line: Line, asked: Asked) {
        let mut state = self.state.lock();
        if let Some(ends) = state.lines.get_mut(&line) {
            ends.inbox.push_back(asked);
            self.work(&mut state, line);
        }
    }

    /// Does what has arrived on a line.
    fn work(&self, state: &mut State, line: Line) {
        let now = self.time.now();
        if state.paused > now {
            return self.work_later(line, state.paused.saturating_sub(now));
        }
        while let Some(ends) = state.lines.get_mut(&line)
            && !ends.is_busy
            && let Some(asked) = ends.inbox.pop_front()
        {
            match asked {
                Asked::SetUp => {
                    let said = Said::Ready(state.keyspace.run, now + state.ahead);
                    self.say(state, line, said);
                }
                Asked::Beat(asked) => {
                    let time = now + state.ahead;
                    self.say(state, line, Said::Beat { asked, time });
                }
                Asked::Trip(number, commands) => {
                    let trip =
                        Trip { number, commands, done: Vec::new(), created: BTreeSet::new() };
                    self.travel(state, line, trip);
                }
            }
        }
    }

    fn work_later(&self, line: Line, span: Duration) {
        let me = Weak::clone(&self.me);
        let work = move || {
            me.upgrade().iter().for_each(|me| me.work(&mut me.state.lock(), line));
        };
        self.time.after(span, NATURE, work);
    }

    /// Carries out the commands of a trip. Now and then others' come in between.
    fn travel(&self, state: &mut State, line: Line, mut trip: Trip) {
        let is_split = self.time.chance(6);
        while let Some(command) = trip.commands.get(trip.done.len()) {
            let doer = Doer { line: Some(line), now: self.time.now() };
            let reply = state.keyspace.execute(command, &mut trip.created, doer);
            trip.done.push(reply);
            self.tell(state);
            if is_split && trip.done.len() < trip.commands.len() && self.time.chance(40) {
                if let Some(ends) = state.lines.get_mut(&line) {
                    ends.is_busy = true;
                }
                let me = Weak::clone(&self.me);
                let go_on = move || {
                    if let Some(me) = me.upgrade() {
                        me.go_on(line, trip);
                    }
                };
                return self.time.after(self.time.micros(1..900), NATURE, go_on);
            }
        }
        self.say(state, line, Said::Answer(trip.number, trip.done));
        if let Some(ends) = state.lines.get_mut(&line)
            && std::mem::take(&mut ends.is_cut_after_next)
        {
            ends.is_cut = [true; 2];
        }
    }

    fn go_on(&self, line: Line, trip: Trip) {
        let mut state = self.state.lock();
        if let Some(ends) = state.lines.get_mut(&line) {
            ends.is_busy = false;
            self.travel(&mut state, line, trip);
            self.work(&mut state, line);
        }
    }

    /// Tells of what has happened to keys.
    fn tell(&self, state: &mut State) {
        let mut gone = None;
        for happened in state.keyspace.happened() {
            match happened {
                Happened::Told(line, key) => self.say(state, line, Said::Changed(key)),
                Happened::Gone(bytes) => {
                    self.oracle.gone(&bytes, self.time.now());
                    gone = Some(bytes);
                }
                Happened::ToldInVain => self.oracle.told_in_vain(),
                Happened::Stored(key) => {
                    if let Some(kept) = state.keyspace.keys.get(&key) {
                        self.oracle.stored(gone.take(), kept);
                    }
                }
            }
        }
    }

    fn say(&self, state: &mut State, line: Line, said: Said) {
        let Some(ends) = state.lines.get_mut(&line) else { return };
        if let Some(span) = self.way(ends, FROM) {
            let reader = Weak::clone(&ends.reader);
            let read = move || {
                if let Some(reader) = reader.upgrade() {
                    reader.read(line, said);
                }
            };
            self.time.after(span, ends.owner, read);
        }
    }
}

/// Commands under way.
struct Trip {
    number: u64,
    commands: Vec<Command>,
    done: Vec<Reply>,
    created: BTreeSet<Key>,
}

/// What befalls a server and its lines.
impl Host {
    /// Does something to the keys, as somebody else would.
    pub(super) fn meddle(&self, how: impl FnOnce(&mut Keyspace, Doer)) {
        let mut state = self.state.lock();
        if state.is_running {
            how(&mut state.keyspace, Doer { line: None, now: self.time.now() });
            self.tell(&mut state);
        }
    }

    /// Removes what has expired, as servers do now and then.
    pub(super) fn sweep(&self) {
        let mut state = self.state.lock();
        state.keyspace.sweep(self.time.now());
        self.tell(&mut state);
    }

    pub(super) fn is_running(&self) -> bool {
        self.state.lock().is_running
    }

    pub(super) fn flush(&self) {
        let mut state = self.state.lock();
        for kept in state.keyspace.flush().into_values() {
            self.oracle.lost(&kept, self.time.now());
        }
        let lines: Vec<_> = state.lines.keys().copied().collect();
        for line in lines {
            self.say(&mut state, line, Said::Flushed);
        }
    }

    pub(super) fn pause(&self, span: Duration) {
        self.state.lock().paused = self.time.now() + span;
    }

    pub(super) fn save(&self) {
        let mut state = self.state.lock();
        state.snapshot = state.keyspace.keys.clone();
    }

    pub(super) fn crash(&self) {
        let mut state = self.state.lock();
        state.is_running = false;
        state.paused = Duration::ZERO;
        let lines: Vec<_> = state.lines.keys().copied().collect();
        for line in lines {
            self.say(&mut state, line, Said::Closed);
        }
        state.lines.clear();
        for kept in state.keyspace.keys.values() {
            self.oracle.lost(kept, self.time.now());
        }
    }

    /// Starts again: with the last keys, with those of a moment before, or with none.
    pub(super) fn start(&self) {
        let mut state = self.state.lock();
        let last = std::mem::take(&mut state.keyspace.keys);
        let keys = match self.time.any(0..4) {
            0 => last,
            1 => Keys::new(),
            _ => state.snapshot.clone(),
        };
        state.keyspace.restart(keys, super::random());
        state.ahead += self.time.micros(0..200_000);
        state.is_running = true;
    }

    /// Cuts the lines of somebody, noticed at once or not.
    pub(super) fn cut(&self, owner: Owner, how: Cut, is_noticed: bool) {
        let mut state = self.state.lock();
        let lines: Vec<_> =
            state.lines.iter().filter(|(_, it)| it.owner == owner).map(|(line, _)| *line).collect();
        for line in lines {
            if is_noticed {
                self.say(&mut state, line, Said::Closed);
            }
            let Some(ends) = state.lines.get_mut(&line) else { continue };
            match how {
                Cut::ToServer => ends.is_cut[TO] = true,
                Cut::FromServer => ends.is_cut[FROM] = true,
                Cut::Both => ends.is_cut = [true; 2],
                Cut::AfterNext => ends.is_cut_after_next = true,
            }
        }
    }

    /// Lets nothing arrive at somebody for a while, and then all of it.
    pub(super) fn hold_up(&self, owner: Owner, span: Duration) {
        let until = self.time.now() + span;
        let mut state = self.state.lock();
        state.lines.values_mut().filter(|it| it.owner == owner).for_each(|it| it.way[FROM] = until);
    }

    /// Makes the lines of somebody slow for a while.
    pub(super) fn slow(&self, owner: Owner, span: Duration) {
        let until = self.time.now() + span;
        let mut state = self.state.lock();
        state.lines.values_mut().filter(|it| it.owner == owner).for_each(|it| it.slow = until);
    }
}
