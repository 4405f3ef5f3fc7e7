//! How long a call may take, or what it waits for.

use crate::clock::TimeSource;
use crate::context;
use crate::counters::Counters;
use crate::entry::{About, Marks};
use crate::site::Site;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Runs a future for so long at the most.
///
/// # Cancellation
///
/// As safe to drop as `future` itself.
pub(crate) async fn within<F: Future>(
    time: &TimeSource,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = None;
    poll_fn(|task| {
        if let Poll::Ready(out) = future.as_mut().poll(task) {
            return Poll::Ready(Some(out));
        }
        let sleep = sleep.get_or_insert_with(|| time.sleep(limit));
        sleep.as_mut().poll(task).map(|()| None)
    })
    .await
}

/// The deadline of one call.
pub(crate) struct Limit {
    /// How long it may take, if that is said.
    pub(crate) deadline: Option<Duration>,
    pub(crate) site: &'static Site,
    /// The runtime it is made in.
    pub(crate) home: u64,
    pub(crate) time: TimeSource,
    pub(crate) counters: Arc<Counters>,
}

impl Limit {
    /// Runs a future for as long as there is time.
    ///
    /// # Cancellation
    ///
    /// As safe to drop as `future` itself.
    pub(crate) async fn within<F: Future>(&self, future: F) -> Option<F::Output> {
        match self.deadline {
            Some(deadline) => within(&self.time, deadline, future).await,
            None => Some(future.await),
        }
    }

    /// Counts a call that is given up. What its caller makes of that is not for keeping.
    pub(crate) fn give_up(&self) {
        self.counters.fallbacks.add(1);
        let Some(caller) = context::frame() else { return };
        let now = self.time.now();
        let about = Arc::new(About::of_bypassed(Marks::new(), None, now));
        caller.inherit(self.home, &about, now, self.site.options.keyed);
    }
}
