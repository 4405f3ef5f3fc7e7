//! Runtimes over a server, each as it were a process of its own, and counting what is computed.

use crate::client::Reply;
use crate::limit::{LIMIT, until};
use crate::server::Server;
use larder::{Builder, Runtime};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// A runtime over the server at a URL, once it is connected.
pub(crate) fn process(url: &str) -> Runtime {
    connected(Runtime::builder().redis(url).build().unwrap())
}

/// As [`process`], where a machine that has other things to do is no fault of the server.
pub(crate) fn patient(url: &str) -> Runtime {
    connected(patience(url).build().unwrap())
}

/// What makes a runtime that waits for its server for as long as a test may take.
pub(crate) fn patience(url: &str) -> Builder {
    Runtime::builder().redis(url).redis_deadline(LIMIT).coherence_bound(Duration::from_secs(10))
}

/// A runtime that has found its server.
pub(crate) fn connected(runtime: Runtime) -> Runtime {
    until("the runtime is connected", || is_connected(&runtime).then_some(()));
    runtime
}

/// Whether a runtime has a server that answers.
pub(crate) fn is_connected(runtime: &Runtime) -> bool {
    runtime.with(|| larder::blocking::invalidate_tag("nobody has this tag")).is_ok()
}

/// The clock that tells how old something is, which lags behind the precise one by a few milliseconds.
pub(crate) fn coarse() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    Duration::new(now.tv_sec.cast_unsigned(), u32::try_from(now.tv_nsec).unwrap())
}

/// What it shows when it moves next: no less than the precise one shows now.
pub(crate) fn coarse_tick() -> Duration {
    let before = coarse();
    until("the clock to move", || Some(coarse()).filter(|now| *now > before))
}

/// How often a body ran since this was last asked.
pub(crate) struct Calls(AtomicU64);

impl Calls {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn note(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    pub(crate) fn taken(&self) -> u64 {
        self.0.swap(0, SeqCst)
    }
}

/// A number greater than all that were drawn before: of two values, the greater was computed later.
pub(crate) fn draw() -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    DRAWN.fetch_add(1, SeqCst) + 1
}

/// The names of all keys of a server that match a glob.
pub(crate) fn keys(server: &Server, glob: &str) -> Vec<String> {
    let keys = server.command(&["KEYS", glob]).array();
    keys.into_iter().map(Reply::text).collect()
}

/// Where bodies wait until they may go on.
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    arrived: usize,
    is_open: bool,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { state: Mutex::new(State { arrived: 0, is_open: false }), changed: Condvar::new() }
    }

    /// Waits until it is open.
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.arrived += 1;
        self.changed.notify_all();
        drop(self.wait(state, |state| state.is_open, "a gate to be opened"));
    }

    /// Waits until so many have arrived.
    pub(crate) fn await_arrivals(&self, count: usize) {
        let state = self.state.lock().unwrap();
        drop(self.wait(state, |state| state.arrived >= count, "arrivals at a gate"));
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().is_open = true;
        self.changed.notify_all();
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        comes: impl Fn(&State) -> bool,
        what: &str,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, LIMIT, |state| !comes(state));
        let (state, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "waited in vain for {what}");
        state
    }
}

/// A body that waits where it is told to.
pub(crate) struct Slow {
    pub(crate) waits: AtomicBool,
    pub(crate) gate: Gate,
}

impl Slow {
    pub(crate) const fn new() -> Self {
        Self { waits: AtomicBool::new(false), gate: Gate::new() }
    }

    pub(crate) fn run(&self) -> u64 {
        if self.waits.load(SeqCst) {
            self.gate.pass();
        }
        draw()
    }
}

/// A value that has just expired.
pub(crate) fn expired(runtime: &Runtime, call: fn() -> u64, peek: fn() -> Option<u64>) -> u64 {
    let value = runtime.with(call);
    until("the value to expire", || runtime.with(peek).is_none().then_some(()));
    value
}
