//! How calls in an executor of the program find out that they have waited for too long.
//!
//! None sets a timer of its own: that would wake the thread that waits for the executor's timers, which
//! costs more than a trip to a server nearby. One timer goes on for all of them, while any come.
//!
//! 1. It ticks as long as anyone waits, on the tier's thread: an executor that stands still, or has
//!    ended, does not keep who waits.

use super::server::Fault;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{self, Instant};

/// How often it is seen whether somebody has waited for too long, and how many times more once nobody
/// asks.
const TICK: Duration = Duration::from_millis(10);
const LAST_TICKS: u32 = 100;

/// What those who wait look at the time by.
#[derive(Default)]
pub(super) struct Ticks {
    each: Notify,
    /// Told to begin.
    first: Notify,
    are_going: AtomicBool,
    is_over: AtomicBool,
    waiting: AtomicUsize,
    /// Since the last tick, somebody began to wait.
    are_wanted: AtomicBool,
}

/// One who waits.
struct Waiting<'a>(&'a AtomicUsize);

impl Ticks {
    /// Has it tick from now on, for a while at least.
    pub(super) fn begin(&self) {
        // Sequentially consistent, as in `go_on`: one of the two sees what the other wrote.
        if !self.are_wanted.load(Ordering::SeqCst) {
            self.are_wanted.store(true, Ordering::SeqCst);
        }
        if !self.are_going.load(Ordering::SeqCst) {
            self.first.notify_one();
        }
    }

    /// Waits for something until a tick at which that is given up.
    pub(super) async fn within<F: Future>(
        &self,
        future: F,
        mut is_over: impl FnMut(Instant) -> bool,
    ) -> Result<F::Output, Fault> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        self.begin();
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                outcome = &mut future => return Ok(outcome),
                () = self.each.notified() => if is_over(Instant::now()) {
                    return Err(Fault::Late);
                }
            }
        }
    }

    /// Has it end, as nobody will wait any more.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.first.notify_one();
    }

    /// Ticks whenever anyone waits. `sweep` looks after those who wait otherwise at each tick, and says
    /// whether there are any.
    pub(super) async fn go_on(self: Arc<Self>, sweep: impl Fn(Instant) -> bool) {
        loop {
            self.first.notified().await;
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            self.are_going.store(true, Ordering::SeqCst);
            let mut ticks = time::interval(TICK);
            let mut left = LAST_TICKS;
            while left > 0 {
                let now = ticks.tick().await;
                self.each.notify_waiters();
                left -= 1;
                if left == 0 {
                    self.are_going.store(false, Ordering::SeqCst);
                }
                let is_anyone = sweep(now) || self.waiting.load(Ordering::Relaxed) > 0;
                if self.are_wanted.swap(false, Ordering::SeqCst) || is_anyone {
                    self.are_going.store(true, Ordering::SeqCst);
                    left = LAST_TICKS;
                }
            }
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
