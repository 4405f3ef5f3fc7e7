//! Time: where it comes from, and how to wait for it.
//!
//! A moment is a count of nanoseconds since the clock's own origin. Only differences mean anything,
//! and never across processes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// A future that ends when a span of time has passed.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time for a runtime, injected with `Runtime::builder().clock(..)`.
///
/// Implemented by `larder::testing::ManualClock`; the system's monotonic clock is used unless
/// another is given.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time since an origin of the clock's choosing. It never goes back.
    fn now(&self) -> Duration;

    /// Returns a future that ends once `span` has passed on this clock.
    fn sleep(&self, span: Duration) -> Sleep;
}

/// A moment on a runtime's clock, in nanoseconds since its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Later than any moment a clock returns.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The clock a runtime reads.
#[derive(Clone)]
pub(crate) enum TimeSource {
    /// The system's monotonic clock, in its coarse form where there is one: a reading costs a few
    /// nanoseconds and lags by a few milliseconds at the most.
    System,
    Injected(Arc<dyn Clock>),
}

static COARSE_ORIGIN: LazyLock<coarsetime::Instant> =
    LazyLock::new(coarsetime::Instant::now_without_cache_update);
static PRECISE_ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl TimeSource {
    /// The time an entry's age is measured by.
    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::System => {
                let now = coarsetime::Instant::now_without_cache_update();
                Moment(now.duration_since(*COARSE_ORIGIN).as_nanos())
            }
            Self::Injected(clock) => Moment(nanos(clock.now())),
        }
    }

    /// The time a computation is measured by. Not comparable with [`now`](Self::now).
    pub(crate) fn precise(&self) -> Moment {
        match self {
            Self::System => Moment(nanos(PRECISE_ORIGIN.elapsed())),
            Self::Injected(clock) => Moment(nanos(clock.now())),
        }
    }

    pub(crate) fn sleep(&self, span: Duration) -> Sleep {
        match self {
            Self::System => Box::pin(futures_timer::Delay::new(span)),
            Self::Injected(clock) => clock.sleep(span),
        }
    }
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Injected(_) => "Injected",
        })
    }
}
