//! Several futures at once, of which only those that were woken are polled.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Wakes the task that polls all, for one of them.
#[derive(Default)]
struct Signal {
    is_due: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        // Release: pairs with the swap in `poll`, which then sees what the future was woken for.
        self.is_due.store(true, Ordering::Release);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.wake();
        }
    }
}

/// A future that is one of several.
pub(super) struct One<F> {
    future: Pin<Box<F>>,
    signal: Arc<Signal>,
}

impl<F: Future> One<F> {
    pub(super) fn new(future: F) -> Self {
        let signal = Arc::new(Signal::default());
        signal.is_due.store(true, Ordering::Relaxed);
        Self { future: Box::pin(future), signal }
    }

    /// Goes on with it, if there is a reason to.
    pub(super) fn poll(&mut self, task: &Context<'_>) -> Poll<F::Output> {
        // Before it is looked at: who wakes it from here on wakes the task.
        *self.signal.task.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(task.waker().clone());
        if !self.signal.is_due.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        let waker = Waker::from(Arc::clone(&self.signal));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Waits for all of them.
///
/// # Cancellation
///
/// As safe to drop as each of them.
pub(super) async fn all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut under_way: Vec<_> = futures.into_iter().map(|it| Some(One::new(it))).collect();
    let mut ended: Vec<Option<F::Output>> = under_way.iter().map(|_| None).collect();
    poll_fn(|task| {
        let mut is_over = true;
        for (one, end) in under_way.iter_mut().zip(&mut ended) {
            let Some(future) = one else { continue };
            match future.poll(task) {
                Poll::Ready(out) => (*one, *end) = (None, Some(out)),
                Poll::Pending => is_over = false,
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    ended.into_iter().map(|end| end.expect("all have ended")).collect()
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::all;
    use futures_lite::future::{self, block_on, poll_once};
    use std::cell::{Cell, RefCell};
    use std::task::{Poll, Waker};

    #[test]
    fn they_end_in_whatever_order_and_come_out_in_theirs() {
        let outs = all((0..10_u64).map(|it| async move {
            for _ in 0..10 - it {
                future::yield_now().await;
            }
            it
        }));
        assert_eq!(block_on(outs), (0..10).collect::<Vec<_>>());
    }

    #[test]
    fn who_was_not_woken_is_not_polled() {
        let (polls, wakers) = (Cell::new(0), RefCell::new(Vec::<Waker>::new()));
        let one = || {
            future::poll_fn(|task| {
                polls.set(polls.get() + 1);
                wakers.borrow_mut().push(task.waker().clone());
                Poll::<()>::Pending
            })
        };
        let both = all([one(), one()]);
        let mut both = std::pin::pin!(both);
        assert!(block_on(poll_once(both.as_mut())).is_none());
        assert_eq!(polls.get(), 2);
        wakers.borrow_mut().remove(0).wake();
        assert!(block_on(poll_once(both)).is_none());
        assert_eq!(polls.get(), 3);
    }
}
