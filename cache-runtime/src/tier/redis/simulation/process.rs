//! A process: its tier, its versions, and a memory that keeps to the rules of the real one.

use super::super::held::ROUND;
use super::super::planted::{self, Bug};
use super::super::{Listener, OnPartition, Redis, Settings, Shared};
use super::host::Host;
use super::link::{Handle, Link};
use super::machine::Machine;
use super::oracle::Oracle;
use super::promise::Keeper;
use super::time::{Owner, Time};
use super::values::{Call, FUNCTIONS, Function, Value};
use crate::entry::{About, Marks, Stamp};
use crate::mark::{Mark, beyond};
use crate::sync::Mutex;
use crate::target::Target;
use crate::versions::Versions;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

pub(super) struct Process {
    pub(super) time: Arc<Time>,
    pub(super) oracle: Arc<Oracle>,
    pub(super) owner: Owner,
    pub(super) machine: Arc<Machine>,
    pub(super) versions: Arc<Versions>,
    pub(super) redis: Redis,
    pub(super) memory: Mutex<BTreeMap<Call, Near>>,
    /// Computations under way, and who waits for them.
    pub(super) flights: Mutex<BTreeMap<Call, Vec<Keeper<()>>>>,
    /// What calls were found to depend on.
    pub(super) remembered: Mutex<BTreeMap<Call, Marks>>,
}

/// A copy in memory.
#[derive(Clone)]
pub(super) struct Near {
    pub(super) value: Arc<Value>,
    pub(super) valid_at: Stamp,
    pub(super) expires: Duration,
    pub(super) about: Arc<About>,
}

struct Heard {
    time: Arc<Time>,
    oracle: Arc<Oracle>,
    owner: Owner,
    versions: Arc<Versions>,
    machine: Arc<Machine>,
}

impl Heard {
    fn note(&self, target: &Target) {
        self.versions.record(target, None::<fn() -> Option<Stamp>>);
    }
}

impl Listener for Heard {
    fn hear(&self, target: &Target) {
        self.note(target);
    }

    fn lose(&self) {
        let shared = FUNCTIONS.into_iter().filter(|it| it.is_shared());
        self.note(&Target::Any(shared.map(Function::mark).collect()));
    }

    fn settle(&self) {}

    fn postpone(&self, target: &Target) -> bool {
        self.machine.postpone(self.owner, target)
    }

    fn postponed(&self) -> Vec<(u64, Target)> {
        self.machine.postponed()
    }

    fn forget(&self, numbers: &[u64]) {
        self.machine.forget(numbers);
    }

    fn deliver(&self, target: &Target) {
        self.note(target);
        self.machine.record(target);
        self.oracle.delivered(self.owner, &format!("{target:?}"), self.time.now());
    }

    fn is_overtaken(&self, marks: &Marks, since: Stamp) -> bool {
        self.versions.overtook(marks, since)
    }
}

fn settings() -> Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    let parse = || Settings::parse("redis://simulated", "the simulation").expect("a URL");
    SETTINGS.get_or_init(parse).clone()
}

/// How long a copy may be served after it was invalidated elsewhere.
pub(super) fn bound() -> Duration {
    settings().bound
}

impl Process {
    /// Starts one on a machine. `on_partition` says what it serves when it hears nothing.
    pub(super) fn start(
        (time, host, oracle): (&Arc<Time>, &Arc<Host>, &Arc<Oracle>),
        (owner, machine): (Owner, &Arc<Machine>),
        on_partition: OnPartition,
    ) -> Arc<Self> {
        let versions = Arc::new(Versions::default());
        machine.begin(owner, &versions);
        let heard = Heard {
            time: Arc::clone(time),
            oracle: Arc::clone(oracle),
            owner,
            versions: Arc::clone(&versions),
            machine: Arc::clone(machine),
        };
        let mut link = None;
        let settings = Settings { on_partition, ..settings() };
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| {
            let made = Arc::new_cyclic(|me| Link {
                time: Arc::clone(time),
                host: Arc::clone(host),
                oracle: Arc::clone(oracle),
                owner,
                bound: settings.bound,
                ear: Weak::clone(shared) as Weak<_>,
                me: Weak::clone(me),
                state: Mutex::default(),
            });
            link = Some(Arc::clone(&made));
            Shared::new("simulated", settings, Box::new(Handle(made)), Arc::new(heard))
        });
        time.spawn(owner, link.expect("made").keep());
        let (tended, rounds) = (Arc::clone(&shared), Arc::clone(time));
        time.spawn(owner, async move {
            loop {
                rounds.sleep(ROUND).await;
                tended.renew().await;
                tended.deliver().await;
            }
        });
        Arc::new(Self {
            time: Arc::clone(time),
            oracle: Arc::clone(oracle),
            owner,
            machine: Arc::clone(machine),
            versions,
            redis: Redis { shared },
            memory: Mutex::default(),
            flights: Mutex::default(),
            remembered: Mutex::default(),
        })
    }

    pub(super) fn is_jealous(&self) -> bool {
        self.redis.settings().on_partition == OnPartition::Compute
    }

    /// Ends at some time soon.
    pub(super) async fn dawdle(&self) {
        if self.time.chance(25) {
            self.time.sleep(self.time.micros(0..800)).await;
        }
    }

    /// Records an invalidation here, and on the machine by what it is called beyond.
    fn record(&self, target: &Target, beyond: &Target) {
        self.versions.record(target, None::<fn() -> Option<Stamp>>);
        self.machine.record(beyond);
    }

    /// Invalidates as a runtime does: the shared tier first.
    pub(super) async fn invalidate(&self, which: usize, target: Target, beyond: Target) {
        if planted::is(Bug::RecordedBeforeTold) {
            self.record(&target, &beyond);
            self.time.sleep(self.time.micros(0..50_000)).await;
            let told = self.redis.invalidate(beyond).await;
            return self.oracle.returned(which, told.is_ok(), self.time.now());
        }
        let told = self.redis.invalidate(beyond.clone()).await;
        self.dawdle().await;
        self.record(&target, &beyond);
        self.oracle.returned(which, told.is_ok(), self.time.now());
    }
}

/// What stands, beyond this process, for key and function of what is in memory alone.
pub(super) fn stand_in(call: Call) -> Option<Arc<[Mark; 2]>> {
    let name = call.function.name();
    (!call.function.is_shared()).then(|| Arc::new([beyond::any_key(name), call.function.mark()]))
}
