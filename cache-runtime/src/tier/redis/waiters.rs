//! Calls that wait for what another process computes, woken by what the server tells of its key. Of
//! one key, a process has one that waits.

use super::names::Place;
use crate::mark::Mark;
use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::Notify;

#[derive(Default)]
pub(super) struct Waiters {
    waiting: Mutex<BTreeMap<(Mark, u64), Arc<Notify>>>,
}

/// A place among those who wait for one value. Leaves it when dropped.
pub(crate) struct Waiter<'a> {
    waiters: &'a Waiters,
    of: (Mark, u64),
    notify: Arc<Notify>,
}

impl Waiters {
    /// To be called before it is asked whether there is anything to wait for.
    pub(super) fn join(&self, place: &Place) -> Waiter<'_> {
        let of = (place.mark, place.id);
        let notify = Arc::clone(self.waiting.lock().entry(of).or_default());
        Waiter { waiters: self, of, notify }
    }

    pub(super) fn wake(&self, mark: Mark, id: u64) {
        if let Some(notify) = self.waiting.lock().get(&(mark, id)) {
            notify.notify_one();
        }
    }

    pub(super) fn wake_all(&self) {
        for notify in self.waiting.lock().values() {
            notify.notify_one();
        }
    }
}

impl Waiter<'_> {
    /// Ends when something is heard of the key, or after a pause.
    pub(crate) async fn wait(&self, pause: impl Future<Output = ()>) {
        let (mut heard, mut pause) = (pin!(self.notify.notified()), pin!(pause));
        poll_fn(|task| match heard.as_mut().poll(task) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => pause.as_mut().poll(task),
        })
        .await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiters.waiting.lock();
        // The table's and this one.
        if Arc::strong_count(&self.notify) == 2 {
            waiting.remove(&self.of);
        }
    }
}
