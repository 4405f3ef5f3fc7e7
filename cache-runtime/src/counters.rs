//! What happened, counted.
//!
//! 1. A hit writes to a cell of its own thread, or to a share that few other threads write.
//! 2. Nothing is lost when a thread ends: its cell is read once more and then let go.

use crate::lookup::{Miss, Served};
use crate::sync::Mutex;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Counts one where no other thread writes: a load and a store instead of a locked addition.
    #[inline]
    fn bump_alone(&self) -> u64 {
        let next = self.0.load(Relaxed).wrapping_add(1);
        self.0.store(next, Relaxed);
        next
    }
}

/// A number that many threads add to: each to one of several parts, seldom the same.
#[derive(Debug, Default)]
pub(crate) struct Shares([Share; 16]);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Share(Count);

impl Shares {
    pub(crate) fn add(&self, more: u64) {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static OWN: usize = THREADS.fetch_add(1, Relaxed);
        }
        // A thread that ends has none any more.
        let own = OWN.try_with(|own| *own).unwrap_or_default();
        self.0[own % self.0.len()].0.add(more);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.iter().map(|share| share.0.get()).sum()
    }
}

/// The hits of one thread on one function.
#[derive(Debug, Default)]
pub(crate) struct HitCell {
    hits: Count,
    negative: Count,
}

impl HitCell {
    /// Counts a hit and returns how many there have been. To be called by one thread only.
    #[inline]
    pub(crate) fn hit(&self, negative: bool) -> u64 {
        if negative {
            self.negative.bump_alone();
        }
        self.hits.bump_alone()
    }
}

/// All counters of one function in one runtime.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    cells: Mutex<Vec<Arc<HitCell>>>,
    /// Of calls that have surroundings, and of threads that ended.
    pub(crate) hits: Shares,
    pub(crate) negative_hits: Shares,
    pub(crate) stale_hits: Shares,
    pub(crate) grace_hits: Shares,
    pub(crate) refreshes: Count,
    pub(crate) timeouts: Count,
    pub(crate) fallbacks: Count,
    pub(crate) misses_absent: Count,
    pub(crate) misses_expired: Count,
    pub(crate) misses_invalidated: Count,
    pub(crate) bypasses_when: Count,
    pub(crate) bypasses_context: Count,
    pub(crate) bypasses_scope: Count,
    pub(crate) bypasses_asked: Count,
    pub(crate) bypasses_reentrant: Count,
    pub(crate) bypasses_tenant: Count,
    pub(crate) bypasses_dependencies: Count,
    pub(crate) bypasses_codec: Count,
    pub(crate) computations: Count,
    pub(crate) failures: Count,
    pub(crate) joins: Count,
    pub(crate) refused_joins: Count,
    pub(crate) takeovers: Count,
    pub(crate) stores: Count,
    pub(crate) fenced_stores: Count,
    pub(crate) hits_l2: Shares,
    pub(crate) stores_l2: Count,
    pub(crate) fenced_stores_l2: Count,
    pub(crate) joins_l2: Count,
    pub(crate) rechecks: Shares,
    pub(crate) hits_l3: Shares,
    pub(crate) stores_l3: Count,
    pub(crate) fenced_stores_l3: Count,
    pub(crate) joins_l3: Count,
    pub(crate) degraded: Count,
    pub(crate) evictions_capacity: Count,
    pub(crate) evictions_oversized: Count,
    pub(crate) evictions_scope: Count,
    pub(crate) invalidations_key: Count,
    pub(crate) invalidations_function: Count,
    pub(crate) computation_time: Buckets,
    pub(crate) age_at_serve: Buckets,
}

impl Counters {
    /// Counts a value by what it was served for.
    pub(crate) fn overdue(&self, why: Served) {
        match why {
            Served::Fresh => {}
            Served::Stale => self.stale_hits.add(1),
            Served::Grace => self.grace_hits.add(1),
        }
    }

    /// A cell for the calling thread.
    pub(crate) fn cell(&self) -> Arc<HitCell> {
        let cell = Arc::new(HitCell::default());
        let mut cells = self.cells.lock();
        self.retire(&mut cells);
        cells.push(Arc::clone(&cell));
        cell
    }

    pub(crate) fn miss(&self, reason: Miss) {
        let count = match reason {
            Miss::Expired => &self.misses_expired,
            Miss::Invalidated => &self.misses_invalidated,
            Miss::Absent | Miss::Undecodable | Miss::Unavailable => &self.misses_absent,
        };
        count.add(1);
    }

    /// Takes over what ended threads counted. Every cell nobody else holds has had its last hit.
    fn retire(&self, cells: &mut Vec<Arc<HitCell>>) {
        cells.retain_mut(|cell| match Arc::get_mut(cell) {
            Some(ended) => {
                self.hits.add(ended.hits.get());
                self.negative_hits.add(ended.negative.get());
                false
            }
            None => true,
        });
    }

    /// Hits so far, and how many of them were negative.
    pub(crate) fn hits(&self) -> (u64, u64) {
        let mut cells = self.cells.lock();
        self.retire(&mut cells);
        cells.iter().fold((self.hits.get(), self.negative_hits.get()), |(hits, negative), cell| {
            (hits + cell.hits.get(), negative + cell.negative.get())
        })
    }
}

/// A histogram being filled: one bucket for each power of two of nanoseconds.
#[derive(Debug)]
pub(crate) struct Buckets([AtomicU64; 64]);

impl Default for Buckets {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 64])
    }
}

impl Buckets {
    pub(crate) fn record(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.0[nanos.checked_ilog2().unwrap_or(0) as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Histogram {
        Histogram(self.0.iter().map(|bucket| bucket.load(Relaxed)).collect())
    }
}

/// How often spans of time of which length occurred, in buckets that double.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(Vec<u64>);

impl Histogram {
    /// Returns how many spans were recorded.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Returns a span that at least the share `quantile` (0 to 1) of those recorded does not
    /// exceed, to the next power of two of nanoseconds; `None` if nothing was recorded.
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        let count = self.count();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among counts, where rounding is within one bucket"
        )]
        let rank = ((count as f64 * quantile.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.0.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        })?;
        Some(Duration::from_nanos(u64::MAX >> (63 - bucket)))
    }
}

impl fmt::Display for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.quantile(0.5), self.quantile(0.99)) {
            (Some(median), Some(high)) => write!(f, "p50 {median:.1?}, p99 {high:.1?}"),
            _ => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_of_an_ended_thread_are_kept() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let cell = counters.cell();
                cell.hit(false);
                cell.hit(true);
            });
        });
        assert_eq!(counters.hits(), (2, 1));
        assert_eq!(counters.hits(), (2, 1));
        assert!(counters.cells.lock().is_empty());
    }

    #[test]
    fn a_quantile_is_the_upper_bound_of_its_bucket() {
        let buckets = Buckets::default();
        for nanos in [100, 100, 100, 5_000] {
            buckets.record(Duration::from_nanos(nanos));
        }
        let histogram = buckets.snapshot();
        assert_eq!(histogram.quantile(0.5), Some(Duration::from_nanos(127)));
        assert_eq!(histogram.quantile(1.0), Some(Duration::from_nanos(8_191)));
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
