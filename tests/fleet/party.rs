//! Four processes on two machines, some of which are killed and replaced.

use crate::child::{Child, Test, folder};
use crate::journal::{self, Account};
use crate::moment::Clock;
use std::env;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const PLACES: usize = 4;
/// Processes of one share a disk.
const MACHINES: usize = 2;

/// How long a trial runs unless said, in seconds.
const USUALLY: u64 = 15;
/// How long nothing is wrong at the end, so that there are leases that nothing takes away.
const CALM: Duration = Duration::from_secs(7);

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|it| it.parse().expect("a number"))
}

/// Places in each of which there is always a process.
pub(crate) struct Party<'a> {
    test: &'a Test,
    folder: TempDir,
    /// Where the process of each place finds the servers.
    urls: [String; PLACES],
    pub(crate) random: fastrand::Rng,
    names: Vec<String>,
    children: Vec<Child>,
    clock: Clock,
    until: Instant,
}

/// What the processes that ended by themselves have counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Served {
    pub(crate) from_memory: u64,
    pub(crate) from_redis: u64,
    /// What others computed while it was waited for.
    pub(crate) joined: u64,
}

impl<'a> Party<'a> {
    pub(crate) fn start(test: &'a Test, urls: [String; PLACES]) -> Self {
        let seed = number("LARDER_SEED").unwrap_or_else(|| fastrand::u64(..));
        println!("LARDER_SEED={seed}");
        let span = Duration::from_secs(number("LARDER_LONG").unwrap_or(USUALLY));
        let (folder, random) = (folder(), fastrand::Rng::with_seed(seed));
        let (clock, until) = (Clock::of(folder.path()), Instant::now() + span);
        let (names, children) = (Vec::new(), Vec::new());
        let mut party = Self { test, folder, urls, random, names, children, clock, until };
        for place in 0..PLACES {
            let child = party.child(place);
            party.children.push(child);
        }
        party
    }

    fn child(&mut self, place: usize) -> Child {
        let name = format!("p{}", self.names.len());
        let (machine, seed) = (place % MACHINES, self.random.u64(..1 << 60));
        let role = format!("{name} {machine} {seed} {}", self.urls[place]);
        self.names.push(name);
        let mut child = self.test.start(&role, self.folder.path());
        child.expect("ready");
        child
    }

    /// Kills the process of a place, and starts another.
    pub(crate) fn replace(&mut self, place: usize) {
        let child = self.child(place);
        std::mem::replace(&mut self.children[place], child).kill();
    }

    /// Whether it has gone on for long enough.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    pub(crate) fn now(&self) -> u64 {
        self.clock.next()
    }

    pub(crate) fn span(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.random.u64(from..to))
    }

    /// Has all processes deliver what waits and call everything once more, and ends them. There must
    /// be nothing wrong any more.
    pub(crate) fn end(mut self) -> (Vec<Account>, Served) {
        thread::sleep(CALM);
        for child in &mut self.children {
            child.tell("settle");
        }
        for child in &mut self.children {
            child.expect("settled");
        }
        let mut served = Served::default();
        for child in &mut self.children {
            child.tell("call");
        }
        for mut child in self.children {
            let said = child.hear();
            let numbers = said.strip_prefix("hits ").unwrap().split(' ');
            let numbers: Vec<u64> = numbers.map(|it| it.parse().unwrap()).collect();
            served.from_memory += numbers[0];
            served.from_redis += numbers[1];
            served.joined += numbers[2];
            child.end();
        }
        let directory: &Path = self.folder.path();
        (self.names.iter().map(|name| journal::read(directory, name)).collect(), served)
    }
}
