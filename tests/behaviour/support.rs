//! What the tests share: both ways to a hit, waiting with a limit, and counting.
//!
//! The global runtime of this binary has a clock that stands still, so that the short way of a hit
//! (this thread's desk) and the long one can be tested alike. A test reaches it through `everywhere`
//! and its like only: others use it at the same time.

use futures_lite::future;
use larder::Runtime;
use larder::testing::ManualClock;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Condvar, LazyLock, Mutex, PoisonError, RwLock};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};
use std::{any, env, mem, thread};

/// How long a test waits for what has to happen. Less than the 30 s after which a caller of a cached
/// function gives up waiting by itself.
pub(crate) const LIMIT: Duration = Duration::from_secs(28);

/// Held for reading by whoever uses the global runtime, for writing by whoever disturbs others.
static GLOBAL: RwLock<()> = RwLock::new(());

static INSTALLED: LazyLock<(Runtime, ManualClock)> = LazyLock::new(|| {
    let (runtime, clock) = fresh();
    runtime.install().expect("no test uses the global runtime but through this module");
    (runtime, clock)
});

/// A runtime that shares nothing with any other, and the clock it goes by.
pub(crate) fn fresh() -> (Runtime, ManualClock) {
    let clock = ManualClock::new();
    let runtime = Runtime::builder().clock(clock.clone()).build().unwrap();
    (runtime, clock)
}

/// Runs a check on the global runtime, then on one of its own.
pub(crate) fn everywhere(check: impl Fn()) {
    {
        let _others = GLOBAL.read().unwrap_or_else(PoisonError::into_inner);
        LazyLock::force(&INSTALLED);
        check();
    }
    fresh().0.with(check);
}

/// The same for a check that advances the clock or invalidates what others have cached.
pub(crate) fn everywhere_alone(check: impl Fn(&ManualClock)) {
    {
        let _nobody = GLOBAL.write().unwrap_or_else(PoisonError::into_inner);
        check(&INSTALLED.1);
    }
    let (runtime, clock) = fresh();
    runtime.with(|| check(&clock));
}

/// The same for futures, on threads of an executor.
pub(crate) fn everywhere_async<F: Future>(check: impl Fn() -> F) {
    {
        let _others = GLOBAL.read().unwrap_or_else(PoisonError::into_inner);
        LazyLock::force(&INSTALLED);
        block_on(check());
    }
    block_on(fresh().0.scope(check()));
}

/// The same for futures of a check that advances the clock or invalidates what others have cached.
pub(crate) fn everywhere_async_alone<F: Future>(check: impl Fn(ManualClock) -> F) {
    {
        let _nobody = GLOBAL.write().unwrap_or_else(PoisonError::into_inner);
        block_on(check(INSTALLED.1.clone()));
    }
    let (runtime, clock) = fresh();
    block_on(runtime.scope(check(clock)));
}

/// Runs a future on an executor with several threads, for as long as the limit allows.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut executor = tokio::runtime::Builder::new_multi_thread();
    let executor = executor.worker_threads(4).enable_time().build().unwrap();
    let outcome = executor.block_on(async { tokio::time::timeout(LIMIT, future).await });
    // What hangs is left behind: the test has failed.
    executor.shutdown_background();
    outcome.expect("waited in vain for the test's future")
}

/// Runs the test that calls this in a process of its own, which may hang or be aborted, or have a
/// global runtime of another kind.
pub(crate) fn in_a_process<F: FnOnce()>(body: F) {
    const INSIDE: &str = "LARDER_TEST_PROCESS";
    if env::var_os(INSIDE).is_some() {
        return body();
    }
    let path = any::type_name::<F>();
    let test = path.split_once("::").and_then(|(_, path)| path.strip_suffix("::{{closure}}"));
    let test = test.expect("a closure in a test has the path of the test");
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "yes")
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > LIMIT {
            process.kill().unwrap();
            process.wait().unwrap();
            panic!("waited in vain for the process of {test}");
        }
        thread::park_timeout(Duration::from_millis(5));
    };
    assert!(status.success(), "{test} failed in its process: {status}");
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}");
        thread::yield_now();
    }
}

/// Waits until something holds, letting other tasks go on meanwhile.
pub(crate) async fn until_async(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LIMIT, "waited in vain for {what}");
        future::yield_now().await;
    }
}

/// A thread that can be waited for with a limit. One that hangs is left behind.
pub(crate) struct Running<R> {
    what: &'static str,
    outcome: Receiver<thread::Result<R>>,
}

/// Starts a thread.
pub(crate) fn run<R: Send + 'static>(
    what: &'static str,
    f: impl FnOnce() -> R + Send + 'static,
) -> Running<R> {
    let (sender, outcome) = channel();
    thread::spawn(move || {
        let thread = thread::spawn(f);
        // By joining it: what its thread-local values do at its end is part of it.
        let _ = sender.send(thread.join());
    });
    Running { what, outcome }
}

impl<R> Running<R> {
    /// Waits for the end, and returns what came of it.
    pub(crate) fn outcome(self) -> thread::Result<R> {
        match self.outcome.recv_timeout(LIMIT) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => panic!("waited in vain for {}", self.what),
            Err(RecvTimeoutError::Disconnected) => panic!("{} was never joined", self.what),
        }
    }

    /// Waits for the end. A panic in there goes on here.
    pub(crate) fn ended(self) -> R {
        self.outcome().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// How often something happened.
#[derive(Debug, Default)]
pub(crate) struct Calls(AtomicU64);

impl Calls {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts one, and returns how many there are now.
    pub(crate) fn note(&self) -> u64 {
        self.0.fetch_add(1, SeqCst) + 1
    }

    pub(crate) fn so_far(&self) -> u64 {
        self.0.load(SeqCst)
    }

    /// How many there have been since this was last asked.
    pub(crate) fn taken(&self) -> u64 {
        self.0.swap(0, SeqCst)
    }
}

/// An event that happens once.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<(bool, Vec<Waker>)>,
    opened: Condvar,
}

impl Gate {
    pub(crate) fn open(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        let wakers = mem::take(&mut state.1);
        drop(state);
        self.opened.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn wait(&self, what: &str) {
        let state = self.state.lock().unwrap();
        let waited = self.opened.wait_timeout_while(state, LIMIT, |state| !state.0).unwrap().1;
        assert!(!waited.timed_out(), "waited in vain for {what}");
    }

    pub(crate) async fn passed(&self) {
        poll_fn(|task| {
            let mut state = self.state.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1.push(task.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A body's way through a test: it says that it is there, and goes on when told to.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) calls: Calls,
    pub(crate) entered: Gate,
    pub(crate) leave: Gate,
}

impl Stage {
    /// One that lets everyone pass.
    pub(crate) fn open() -> Self {
        let stage = Self::default();
        stage.leave.open();
        stage
    }

    pub(crate) fn act(&self) -> u64 {
        let call = self.calls.note();
        self.entered.open();
        self.leave.wait("leave to go on");
        call
    }

    pub(crate) async fn act_async(&self) -> u64 {
        let call = self.calls.note();
        self.entered.open();
        self.leave.passed().await;
        call
    }
}
