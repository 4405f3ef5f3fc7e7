//! Attempts to compute a value anew that failed, and when the next one is due.

use crate::clock::Moment;
use crate::sync::{AtomicU64, Ordering};
use std::time::Duration;

/// How long after a failed attempt the next one is due: the first time, and at most. It doubles with each
/// failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_secs(60) }
    }
}

impl Backoff {
    fn after(self, failures: u64) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(31);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}

/// Those that failed since a value was computed. One at a time makes an attempt.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    failures: AtomicU64,
    /// In nanoseconds since the clock's origin.
    due: AtomicU64,
}

impl Clone for Attempts {
    fn clone(&self) -> Self {
        let copy = |number: &AtomicU64| AtomicU64::new(number.load(Ordering::Relaxed));
        Self { failures: copy(&self.failures), due: copy(&self.due) }
    }
}

impl Attempts {
    // Relaxed throughout: the numbers stand for themselves, and who sees older ones makes an attempt.

    /// Takes note of one that failed.
    pub(crate) fn fail(&self, now: Moment, backoff: Backoff) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        self.due.store(now.after(backoff.after(failures)).nanos(), Ordering::Relaxed);
    }

    /// How long the next is put off yet.
    pub(crate) fn put_off(&self, now: Moment) -> Duration {
        Duration::from_nanos(self.due.load(Ordering::Relaxed).saturating_sub(now.nanos()))
    }

    /// Whether the next is due.
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        now.nanos() >= self.due.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) };
        let seconds = [1, 2, 3, 4, 100].map(|failures| backoff.after(failures).as_secs());
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
    }
}
