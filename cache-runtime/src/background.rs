//! Computations that nobody waits for, or not for long: handed to an executor, or to threads of our own.
//!
//! 1. Where nothing can be run, callers see to it in place.
//! 2. A panic ends the computation alone.

use crate::ask::{Charge, Charges, Wish};
use crate::calling;
use crate::context::{self, Inside, Surroundings};
use crate::errand::{Errand, Executor, Task};
use crate::mark::Mark;
use crate::options::Options;
use crate::site::Site;
use crate::sync::Mutex;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::task::{Context, Poll};
use std::thread;

/// What a call is to do in place of its caller.
pub(crate) enum Commission {
    /// Of one key.
    One(Mark, Charge),
    All(Charges),
}

impl Commission {
    fn key(&self) -> Option<Mark> {
        match self {
            Self::One(key, _) => Some(*key),
            Self::All(_) => None,
        }
    }

    fn wish(self) -> Wish {
        match self {
            Self::One(_, charge) => Wish::Lead(charge),
            Self::All(charges) => Wish::LeadAll(Arc::new(Mutex::new(charges))),
        }
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// So many jobs run at a time, each on a thread of its own. Beyond that, callers compute in place.
const MOST: usize = 64;

/// Whether there is anything to run a call.
pub(crate) fn is_possible(executor: &Executor, Errand(task): &Errand) -> bool {
    match task {
        Task::Job(_) => RUNNING.load(Ordering::Relaxed) < MOST,
        Task::Future(_) if executor.is_there() => true,
        Task::Future(_) => {
            warn();
            false
        }
    }
}

/// Hands a call over. Where that can't be run after all, what it was to do is dropped.
pub(crate) fn dispatch(
    executor: &Executor,
    (site, options): (&'static Site, Options),
    Errand(task): Errand,
    commission: Commission,
) {
    let key = commission.key();
    let around = context::current().as_deref().cloned().unwrap_or_default();
    let around = Arc::new(Surroundings { frame: None, options, ..around });
    match task {
        Task::Future(call) => {
            let call = calling::ask_async(site, key, move || commission.wish(), call);
            let call = Quiet { body: Box::pin(Inside::new(call, Some(around))) };
            executor.spawn(Box::pin(call));
        }
        Task::Job(call) => {
            let call = move || calling::ask(site, key, commission.wish(), call);
            start(Box::new(move || context::inside(around, call)));
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

/// The jobs that run. None waits for a thread: what it computes may be what others wait for.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Takes a job out of the count when it has ended.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts a job. It is dropped if there is no thread for it.
fn start(job: Job) {
    RUNNING.fetch_add(1, Ordering::Relaxed);
    let running = Running;
    let run = move || {
        let _running = running;
        let _ = catch_unwind(AssertUnwindSafe(job));
    };
    drop(thread::Builder::new().name("larder-background".to_owned()).spawn(run));
}
