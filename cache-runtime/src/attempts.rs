//! Attempts to compute a value anew that failed, and when the next one is due.

use crate::clock::{DRIFT, Moment};
use crate::mark::Mark;
use crate::sync::{AtomicU64, Mutex, Ordering};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// So many keys are known whose values other tiers have.
const MOST_ELSEWHERE: usize = 16_384;

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

/// Attempts to replace values that memory does not have, by key: they are of the value that was born then.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere(Mutex<HashMap<Mark, (Moment, Arc<Attempts>)>>);

impl Elsewhere {
    /// Those that are known to have failed.
    pub(crate) fn find(&self, key: Mark, born: Moment) -> Option<Arc<Attempts>> {
        let known = self.0.lock();
        let (since, attempts) = known.get(&key)?;
        // Another has been stored since, of which nothing is known.
        (born.since(*since) <= DRIFT).then(|| Arc::clone(attempts))
    }

    /// Takes note of one that failed.
    pub(crate) fn fail(&self, key: Mark, born: Moment, (now, backoff): (Moment, Backoff)) {
        let attempts = self.find(key, born).unwrap_or_default();
        attempts.fail(now, backoff);
        let mut known = self.0.lock();
        if known.len() >= MOST_ELSEWHERE {
            make_room(&mut known);
        }
        known.insert(key, (born, attempts));
    }
}

/// Forgets those whose next attempts were due the longest, a sixteenth of all.
fn make_room(known: &mut HashMap<Mark, (Moment, Arc<Attempts>)>) {
    let due = |attempts: &Attempts| attempts.due.load(Ordering::Relaxed);
    let mut all: Vec<u64> = known.values().map(|(_, attempts)| due(attempts)).collect();
    let mut left = all.len().div_ceil(16);
    let (_, &mut latest, _) = all.select_nth_unstable(left - 1);
    known.retain(|_, (_, attempts)| {
        let goes = left > 0 && due(attempts) <= latest;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(all(test, not(larder_model)))]
mod tests {
    use super::{Backoff, Elsewhere, MOST_ELSEWHERE};
    use crate::clock::Moment;
    use crate::mark::Mark;
    use std::time::Duration;

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(5) };
        let seconds = [1, 2, 3, 4, 100].map(|failures| backoff.after(failures).as_secs());
        assert_eq!(seconds, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn what_is_known_of_keys_elsewhere_is_bounded_and_ends_with_the_value() {
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let (elsewhere, how) = (Elsewhere::default(), (at(60), Backoff::default()));
        let key = |number: usize| Mark::tag(&number.to_string());
        for number in 0..=MOST_ELSEWHERE {
            elsewhere.fail(key(number), at(10), how);
        }
        assert_eq!(elsewhere.0.lock().len(), MOST_ELSEWHERE - MOST_ELSEWHERE / 16 + 1);
        let last = elsewhere.find(key(MOST_ELSEWHERE), at(10)).unwrap();
        assert!(!last.is_due(at(60)));
        assert!(last.is_due(at(61)));
        assert!(elsewhere.find(key(MOST_ELSEWHERE), at(20)).is_none(), "it is another value");
    }
}
