//! Time that passes when nothing else can be done, and who does what in it: one thread, and a
//! generator of random numbers that decides who is next.
//!
//! 1. Two runs with one seed are the same, step by step.
//! 2. Who is suspended does nothing, hears nothing, and then all of it in its order.

use super::promise::{Promise, promise};
use crate::sync::Mutex;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Whose a task is. Each life of a process is another owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner(pub(super) u32);

/// The world around the processes.
pub(super) const NATURE: Owner = Owner(0);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Deed = Box<dyn FnOnce() + Send>;

pub(super) struct Time {
    state: Mutex<State>,
    ready: Arc<Mutex<Vec<u64>>>,
}

struct State {
    now: Duration,
    rng: Rng,
    next: u64,
    tasks: BTreeMap<u64, (Owner, Option<Task>)>,
    /// What is done when, in the order in which it was decided.
    deeds: BTreeMap<(Duration, u64), (Owner, Deed)>,
    suspended: BTreeMap<Owner, Duration>,
    ended: BTreeSet<Owner>,
}

struct Bell {
    task: u64,
    ready: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock();
        if !ready.contains(&self.task) {
            ready.push(self.task);
        }
    }
}

impl Time {
    pub(super) fn new(seed: u64) -> Arc<Self> {
        let state = State {
            now: Duration::from_secs(1),
            rng: Rng::with_seed(seed),
            next: 0,
            tasks: BTreeMap::new(),
            deeds: BTreeMap::new(),
            suspended: BTreeMap::new(),
            ended: BTreeSet::new(),
        };
        Arc::new(Self { state: Mutex::new(state), ready: Arc::default() })
    }

    pub(super) fn now(&self) -> Duration {
        self.state.lock().now
    }

    /// True so many times in a hundred.
    pub(super) fn chance(&self, percent: u32) -> bool {
        self.state.lock().rng.u32(0..100) < percent
    }

    pub(super) fn any(&self, range: Range<usize>) -> usize {
        self.state.lock().rng.usize(range)
    }

    /// A span of so many microseconds.
    pub(super) fn micros(&self, range: Range<u64>) -> Duration {
        Duration::from_micros(self.state.lock().rng.u64(range))
    }

    pub(super) fn spawn(&self, owner: Owner, task: impl Future<Output = ()> + Send + 'static) {
        let mut state = self.state.lock();
        if state.ended.contains(&owner) {
            return;
        }
        let number = state.number();
        state.tasks.insert(number, (owner, Some(Box::pin(task))));
        drop(state);
        self.ready.lock().push(number);
    }

    /// Does something later.
    pub(super) fn after(&self, span: Duration, owner: Owner, deed: impl FnOnce() + Send + 'static) {
        let mut state = self.state.lock();
        let at = (state.now + span, state.number());
        state.deeds.insert(at, (owner, Box::new(deed)));
    }

    /// Ends when so much time has passed.
    pub(super) fn sleep(&self, span: Duration) -> Promise<()> {
        let (slept, kept) = promise();
        self.after(span, NATURE, move || kept.keep(()));
        slept
    }

    /// Lets somebody do nothing for a while.
    pub(super) fn suspend(&self, owner: Owner, span: Duration) {
        let mut state = self.state.lock();
        let until = state.now + span;
        state.suspended.insert(owner, until);
    }

    /// Ends all that somebody does and would do, and hands out what is left of it.
    pub(super) fn end(&self, owner: Owner) -> impl Sized + use<> {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.ended.insert(owner);
        (drain(&mut state.tasks, owner), drain(&mut state.deeds, owner))
    }

    /// Ends everything.
    pub(super) fn stop(&self) {
        let mut state = self.state.lock();
        let left = (std::mem::take(&mut state.tasks), std::mem::take(&mut state.deeds));
        drop(state);
        drop(left);
    }

    /// Lets time pass until then.
    pub(super) fn run(&self, until: Duration) {
        loop {
            if let Some(task) = self.next_ready() {
                self.poll(task);
                continue;
            }
            let mut state = self.state.lock();
            let Some(first) = state.deeds.first_entry().filter(|it| it.key().0 <= until) else {
                state.now = until;
                return;
            };
            let ((at, number), (owner, deed)) = first.remove_entry();
            state.now = state.now.max(at);
            if let Some(later) = state.suspended_until(owner) {
                state.deeds.insert((later, number), (owner, deed));
                continue;
            }
            drop(state);
            deed();
        }
    }

    fn next_ready(&self) -> Option<u64> {
        let mut ready = self.ready.lock();
        if ready.is_empty() {
            return None;
        }
        let at = self.any(0..ready.len());
        Some(ready.swap_remove(at))
    }

    fn poll(&self, number: u64) {
        let mut state = self.state.lock();
        let Some((owner, task)) = state.tasks.get_mut(&number) else { return };
        let (owner, task) = (*owner, task.take());
        let Some(mut task) = task else { return };
        if let Some(later) = state.suspended_until(owner) {
            state.tasks.insert(number, (owner, Some(task)));
            let ready = Arc::clone(&self.ready);
            let at = (later, state.number());
            state.deeds.insert(at, (NATURE, Box::new(move || ready.lock().push(number))));
            return;
        }
        drop(state);
        let waker = Waker::from(Arc::new(Bell { task: number, ready: Arc::clone(&self.ready) }));
        let is_done = task.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(());
        let mut state = self.state.lock();
        if is_done {
            state.tasks.remove(&number);
        } else if let Some((_, place)) = state.tasks.get_mut(&number) {
            *place = Some(task);
            return;
        }
        drop(state);
        // Its end may do things, too.
        drop(task);
    }
}

impl State {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn suspended_until(&self, owner: Owner) -> Option<Duration> {
        self.suspended.get(&owner).copied().filter(|until| *until > self.now)
    }
}

fn drain<K: Ord + Copy, T>(of: &mut BTreeMap<K, (Owner, T)>, owner: Owner) -> Vec<(Owner, T)> {
    let keys: Vec<_> = of.iter().filter(|(_, (it, _))| *it == owner).map(|(key, _)| *key).collect();
    keys.iter().filter_map(|key| of.remove(key)).collect()
}
