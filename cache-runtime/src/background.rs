//! Computations that nobody waits for, or not for long: handed to an executor, or to threads of our own.
//!
//! 1. Where nothing can be run, callers see to it in place.
//! 2. A panic ends the computation alone.

use crate::ask::Wish;
use crate::calling;
use crate::context::{self, Inside, Surroundings};
use crate::errand::{Errand, Executor, Task};
use crate::mark::Mark;
use crate::options::Options;
use crate::site::Site;
use crate::sync::Mutex;
use std::any::Any;
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Once};
use std::task::{Context, Poll};
use std::thread;

/// What a call is to do in place of its caller: a claim to a computation that is given up if it is
/// dropped.
pub(crate) type Charge = Box<dyn Any + Send>;

type Job = Box<dyn FnOnce() + Send>;

/// So many jobs run at a time, and wait.
const MOST_THREADS: usize = 8;
const MOST_WAITING: usize = 1_024;

/// Whether there is anything to run a call.
pub(crate) fn is_possible(executor: &Executor, Errand(task): &Errand) -> bool {
    let is_possible = matches!(task, Task::Job(_)) || executor.is_there();
    if !is_possible {
        warn();
    }
    is_possible
}

/// Hands a call over. Where that can't be run after all, the charge is dropped.
pub(crate) fn dispatch(
    executor: &Executor,
    (site, key): (&'static Site, Mark),
    Errand(task): Errand,
    charge: Charge,
) {
    let around = context::current().as_deref().cloned().unwrap_or_default();
    let around = Arc::new(Surroundings { frame: None, options: Options::new(), ..around });
    match task {
        Task::Future(call) => {
            let call = calling::ask_async(site, Some(key), move || Wish::Lead(charge), call);
            let call = Quiet { body: Box::pin(Inside::new(call, Some(around))) };
            executor.spawn(Box::pin(call));
        }
        Task::Job(call) => {
            let call = move || calling::ask(site, Some(key), Wish::Lead(charge), call);
            queue(Box::new(move || context::inside(around, call)));
        }
    }
}

fn warn() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::warn!(
            "there is nowhere to compute in the background, so callers compute in place; call from \
             within tokio, with the feature `tokio` of larder, or say \
             `Runtime::builder().executor(..)`"
        );
    });
}

/// A future that ends where it panics.
struct Quiet<F> {
    body: Pin<Box<F>>,
}

impl<F: Future<Output = ()>> Future for Quiet<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let poll = || self.body.as_mut().poll(task);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or(Poll::Ready(()))
    }
}

/// The threads that run jobs. Each ends when there are none.
struct Threads {
    waiting: VecDeque<Job>,
    running: usize,
}

static THREADS: LazyLock<Mutex<Threads>> =
    LazyLock::new(|| Mutex::new(Threads { waiting: VecDeque::new(), running: 0 }));

/// Has a job run. It is dropped if there are too many.
fn queue(job: Job) {
    let mut threads = THREADS.lock();
    if threads.waiting.len() >= MOST_WAITING {
        return;
    }
    if threads.running < MOST_THREADS {
        let started = thread::Builder::new().name("larder-background".to_owned()).spawn(run);
        threads.running += usize::from(started.is_ok());
    }
    if threads.running > 0 {
        threads.waiting.push_back(job);
    }
}

fn run() {
    loop {
        let mut threads = THREADS.lock();
        let Some(job) = threads.waiting.pop_front() else {
            threads.running -= 1;
            return;
        };
        drop(threads);
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}
