//! For tests: time that passes when told to.

use crate::clock::{Clock, Sleep};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A clock that stands still until it is advanced. Clones are the same clock.
///
/// ```
/// # use cache_runtime as larder;
/// use larder::testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let runtime = larder::Runtime::builder().clock(clock.clone()).build()?;
/// clock.advance(Duration::from_secs(60));
/// # Ok::<(), larder::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    /// By the moment they wait for, and a number of their own.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next: u64,
}

impl ManualClock {
    /// Returns a clock that stands at its origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on and wakes whoever slept until then.
    pub fn advance(&self, span: Duration) {
        let mut state = self.lock();
        state.now += span;
        let later = (state.now, u64::MAX);
        let mut due = state.sleepers.split_off(&later);
        std::mem::swap(&mut due, &mut state.sleepers);
        drop(state);
        due.into_values().for_each(Waker::wake);
    }

    /// Returns how many sleeps are under way, for tests to know that someone waits.
    pub fn sleepers(&self) -> usize {
        self.lock().sleepers.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep(&self, span: Duration) -> Sleep {
        let mut state = self.lock();
        state.next += 1;
        let place = (state.now.saturating_add(span), state.next);
        Box::pin(Sleeper { clock: self.clone(), place })
    }
}

struct Sleeper {
    clock: ManualClock,
    place: (Duration, u64),
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.now >= self.place.0 {
            return Poll::Ready(());
        }
        state.sleepers.insert(self.place, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.place);
    }
}
