//! One schedule: processes that call and invalidate, and what befalls them and their server.

use super::super::names::Names;
use super::super::server::Command;
use super::super::{OnPartition, wire};
use super::fate::FATES;
use super::host::{Cut, Host};
use super::machine::Machine;
use super::oracle::Oracle;
use super::process::{Process, bound};
use super::time::{NATURE, Owner, Time};
use super::values::{self, Call};
use crate::sync::Mutex;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

const PROCESSES: usize = 3;
/// Until when anything happens, when everything has had time to come to its end, and the end. What can't be
/// stored on a full server is computed by one process after the other.
pub(super) const CALM: Duration = Duration::from_millis(3_500);
const LATE: Duration = Duration::from_millis(6_500);
const END: Duration = Duration::from_secs(8);

pub(super) struct World {
    pub(super) time: Arc<Time>,
    pub(super) oracle: Arc<Oracle>,
    pub(super) host: Arc<Host>,
    pub(super) names: Names,
    pub(super) mood: Mood,
    processes: Mutex<Vec<Arc<Process>>>,
    /// What each of them calls most.
    favourites: Mutex<[Call; PROCESSES]>,
    machines: [Arc<Machine>; PROCESSES],
    lives: Mutex<u32>,
}

/// What a schedule is made of most.
pub(super) struct Mood {
    /// What is called by all more often than anything else.
    pub(super) favourite: Option<Call>,
    /// One process calls, and the others invalidate.
    pub(super) is_lonely: bool,
    /// Most invalidations are for the ledger, and there are many. Now and then one ends it.
    pub(super) is_listed: bool,
    /// What may befall somebody, and how often something does.
    pub(super) fates: Range<usize>,
    pub(super) blows: usize,
}

impl Mood {
    fn any(time: &Time) -> Self {
        let favourite = time.chance(60).then(|| any_call(time));
        let blows = if time.chance(25) { 0 } else { time.any(1..5) };
        let (is_lonely, is_listed) = (time.chance(40), time.chance(20));
        Self { favourite, is_lonely, is_listed, fates: 0..FATES, blows }
    }
}

fn any_call(time: &Time) -> Call {
    let all: Vec<_> = values::calls().collect();
    all[time.any(0..all.len())]
}

/// Runs a schedule, and says what was wrong in it.
pub(super) fn run(seed: u64, suit: impl FnOnce(&mut Mood)) -> Option<String> {
    super::seed(Some(seed));
    let time = Time::new(seed);
    let oracle = Arc::new(Oracle::new(bound()));
    let host = Host::new(&time, &oracle);
    // Some share one.
    let own = [0, 1, 2].map(|number| Machine::new(number, (&time, &oracle)));
    let shared = if time.chance(50) { 1 } else { time.any(1..PROCESSES) + 1 };
    let machines = [0, 1, 2].map(|slot| Arc::clone(&own[if slot < shared { 0 } else { slot }]));
    let (names, processes, lives) = (Names::new("simulated"), Mutex::default(), Mutex::new(0));
    let mut mood = Mood::any(&time);
    suit(&mut mood);
    let favourites = Mutex::new([any_call(&time); PROCESSES]);
    let world =
        Arc::new(World { time, oracle, host, names, mood, processes, favourites, machines, lives });
    world.begin();
    world.time.run(CALM);
    world.heal();
    world.time.run(LATE);
    world.call_much();
    world.time.run(END);
    world.oracle.conclude();
    let complaint = world.oracle.complaint();
    for process in std::mem::take(&mut *world.processes.lock()) {
        world.host.cut(process.owner, Cut::Both, false);
    }
    world.time.stop();
    super::seed(None);
    complaint
}

impl World {
    fn begin(self: &Arc<Self>) {
        // There has been somebody before.
        let bytes = wire::beginning(super::random());
        let ledger = Command::Create { key: self.names.ledger(), bytes, ttl: None };
        self.host.meddle(|keys, by| drop(keys.execute(&ledger, &mut BTreeSet::new(), by)));
        for slot in 0..PROCESSES {
            let process = self.live(slot);
            self.processes.lock().push(Arc::clone(&process));
            self.employ(&process, slot);
        }
        let world = Arc::clone(self);
        self.time.spawn(NATURE, async move {
            loop {
                world.time.sleep(world.time.micros(100_000..2_000_000)).await;
                world.host.sweep();
            }
        });
        for _ in 0..self.mood.blows {
            let world = Arc::clone(self);
            self.time.spawn(NATURE, async move {
                world.time.sleep(world.time.micros(100_000..2_400_000)).await;
                world.befall().await;
            });
        }
    }

    /// A new process.
    fn live(&self, slot: usize) -> Arc<Process> {
        let mut lives = self.lives.lock();
        *lives += 1;
        let (owner, around) = (Owner(*lives), (&self.time, &self.host, &self.oracle));
        let is_jealous = self.time.chance(75);
        let policy = if is_jealous { OnPartition::Compute } else { OnPartition::Serve };
        Process::start(around, (owner, &self.machines[slot]), policy)
    }

    /// Lets a process do its work.
    fn employ(self: &Arc<Self>, process: &Arc<Process>, slot: usize) {
        let time = &self.time;
        // Few calls, so that they meet.
        let favourite = self.mood.favourite.unwrap_or_else(|| any_call(time));
        self.favourites.lock()[slot] = favourite;
        let is_idle = self.mood.is_lonely && slot > 0;
        for _ in 0..if is_idle { 0 } else { time.any(1..3) } {
            let (world, process) = (Arc::clone(self), Arc::clone(process));
            time.spawn(process.owner, async move {
                world.time.sleep(world.time.micros(0..60_000)).await;
                while world.time.now() < CALM {
                    let is_usual = world.time.chance(if world.mood.is_lonely { 92 } else { 70 });
                    let call = if is_usual { favourite } else { any_call(&world.time) };
                    process.call(call, None).await;
                    let longest = if world.time.chance(50) { 50_000 } else { 1_000_000 };
                    world.time.sleep(world.time.micros(0..longest)).await;
                }
            });
        }
        for _ in 0..time.any(if self.mood.is_listed { 2..6 } else { 0..4 }) {
            let (world, process) = (Arc::clone(self), Arc::clone(process));
            time.spawn(process.owner, async move {
                world.time.sleep(world.time.micros(0..2_400_000)).await;
                world.invalidate(&process, favourite).await;
            });
        }
    }

    /// Lets somebody else invalidate something soon.
    pub(super) fn provoke(self: &Arc<Self>, slot: usize, longest: u64) {
        let process = self.process((slot + 1) % PROCESSES);
        let favourite = self.favourites.lock()[slot];
        let world = Arc::clone(self);
        self.time.spawn(process.owner, async move {
            world.time.sleep(world.time.micros(0..longest)).await;
            world.invalidate(&process, favourite).await;
        });
    }

    /// Ends a process, and starts another in its place.
    pub(super) async fn kill(self: &Arc<Self>, slot: usize) {
        let process = self.process(slot);
        self.host.cut(process.owner, Cut::Both, false);
        self.oracle.died(process.owner);
        process.machine.end(process.owner);
        let left = self.time.end(process.owner);
        drop(left);
        self.time.sleep(self.time.micros(0..300_000)).await;
        let process = self.live(slot);
        self.processes.lock()[slot] = Arc::clone(&process);
        self.employ(&process, slot);
    }

    pub(super) fn process(&self, slot: usize) -> Arc<Process> {
        Arc::clone(&self.processes.lock()[slot])
    }

    pub(super) fn any_slot(&self) -> usize {
        self.time.any(0..PROCESSES)
    }

    fn heal(&self) {
        if !self.host.is_running() {
            self.host.start();
        }
        // A server may stay full for ever.
        if self.time.chance(50) {
            self.host.meddle(|keys, _| keys.is_full = false);
        }
    }

    fn call_much(&self) {
        for process in &*self.processes.lock() {
            for call in values::calls().filter(|_| self.time.chance(40)) {
                let (owner, process) = (process.owner, Arc::clone(process));
                self.time.spawn(owner, async move { drop(process.call(call, None).await) });
            }
        }
    }
}
