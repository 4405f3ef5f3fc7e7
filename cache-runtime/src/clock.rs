//! Time: where it comes from, and how to wait for it.
//!
//! Only differences between moments of one clock mean anything, and never across processes.

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

/// How far two readings of one value's birth may be apart, where it is told by another clock.
pub(crate) const DRIFT: Duration = Duration::from_millis(100);

/// A moment on a runtime's clock, in nanoseconds since that clock's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Later than any moment a clock returns.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    pub(crate) fn from_origin(span: Duration) -> Self {
        Self(nanos(span))
    }

    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(nanos(span)))
    }

    /// Nanoseconds since the clock's origin.
    #[inline]
    pub(crate) fn nanos(self) -> u64 {
        self.0
    }

    /// The moment that lies so far back; the clock's origin, if it lies before that.
    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(span)))
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
    /// The system's monotonic clock.
    System,
    Injected(Arc<dyn Clock>),
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

impl TimeSource {
    /// The time an entry's age is measured by.
    #[inline]
    pub(crate) fn now(&self) -> Moment {
        match self {
            Self::System => coarse(),
            Self::Injected(clock) => Moment::from_origin(clock.now()),
        }
    }

    /// The time a computation is measured by, since an origin of its own.
    pub(crate) fn precise(&self) -> Duration {
        match self {
            Self::System => ORIGIN.elapsed(),
            Self::Injected(clock) => clock.now(),
        }
    }

    /// The time of day, since the beginning of 1970: what ages are measured by across processes.
    #[cfg(feature = "disk")]
    pub(crate) fn wall(&self) -> Duration {
        match self {
            Self::System => unix_time(),
            Self::Injected(clock) => *BEGUN + clock.now(),
        }
    }

    pub(crate) fn sleep(&self, span: Duration) -> Sleep {
        match self {
            Self::System => Box::pin(futures_timer::Delay::new(span)),
            Self::Injected(clock) => clock.sleep(span),
        }
    }
}

/// The time of day when an injected clock was first asked for it.
#[cfg(feature = "disk")]
static BEGUN: LazyLock<Duration> = LazyLock::new(unix_time);

/// Coarse, as [`coarse`] is.
#[cfg(all(feature = "disk", target_os = "linux"))]
fn unix_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(now.tv_nsec.cast_unsigned())
}

#[cfg(all(feature = "disk", not(target_os = "linux")))]
fn unix_time() -> Duration {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Waits on the system's clock, whatever the runtime's.
pub(crate) async fn pause(span: Duration) {
    futures_timer::Delay::new(span).await;
}

/// The monotonic clock in its coarse form: a reading costs a tenth of a precise one, and lags by a
/// few milliseconds at the most.
#[cfg(target_os = "linux")]
#[inline]
fn coarse() -> Moment {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    // Since boot, so neither part is negative or large enough to wrap for five centuries.
    let (seconds, nanos) = (now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned());
    Moment(seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos))
}

#[cfg(not(target_os = "linux"))]
fn coarse() -> Moment {
    Moment::from_origin(ORIGIN.elapsed())
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Injected(_) => "Injected",
        })
    }
}
