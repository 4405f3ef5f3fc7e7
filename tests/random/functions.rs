//! The functions that are driven: one for each kind of options, and pairs of them.

use crate::history::body;
use larder::{Options, cached};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub(crate) type Answer = Result<u64, u64>;
type Calling<T> = Pin<Box<dyn Future<Output = T>>>;

/// A function, and what its attribute says.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) ttl: Duration,
    pub(crate) stale: Duration,
    pub(crate) grace: Duration,
    /// How long an error is kept.
    pub(crate) negative: Duration,
    /// After which a former value will do.
    pub(crate) timeout: Option<Duration>,
    pub(crate) call: fn(u8) -> Calling<Answer>,
    pub(crate) call_with: fn(Options, u8) -> Calling<Answer>,
    pub(crate) invalidate: fn(u8) -> Calling<Result<(), larder::Error>>,
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

macro_rules! functions {
    ($($name:ident($at:literal, $ttl:literal, $stale:literal, $grace:literal, $negative:literal, $timeout:literal): [$($option:tt)*];)*) => {
        $(
            #[cached(tags("all", "key:{key}"), $($option)*)]
            async fn $name(key: u8) -> Answer {
                body($at, key).await
            }
        )*

        /// All of them.
        pub(crate) const ALL: &[Function] = &[$(Function {
            name: stringify!($name),
            ttl: seconds($ttl),
            stale: seconds($stale),
            grace: seconds($grace),
            negative: seconds($negative),
            timeout: if $timeout > 0 { Some(seconds($timeout)) } else { None },
            call: |key| Box::pin($name(key)),
            call_with: |options, key| Box::pin($name::with(options, key)),
            invalidate: |key| Box::pin($name::invalidate(key)),
        }),*];
    };
}

#[cfg(not(feature = "disk"))]
functions! {
    plain(0, 10, 0, 0, 0, 0): [ttl = "10s"];
    stale(1, 10, 20, 0, 0, 0): [ttl = "10s", stale = "20s"];
    grace(2, 10, 0, 40, 0, 0): [ttl = "10s", grace = "40s"];
    both(3, 10, 20, 40, 0, 0): [ttl = "10s", stale = "20s", grace = "40s"];
    refreshed(4, 10, 0, 0, 0, 0): [ttl = "10s", refresh = "4s"];
    all(5, 10, 20, 40, 3, 0): [ttl = "10s", stale = "20s", grace = "40s", refresh = "4s", negative = "3s", jitter = "20%"];
    hurried(6, 10, 20, 40, 0, 2): [ttl = "10s", stale = "20s", grace = "40s", timeout = "2s"];
    by_chance(7, 10, 0, 40, 0, 1): [ttl = "10s", refresh = "auto", grace = "40s", timeout = "1s"];
    negative(8, 10, 5, 0, 4, 0): [ttl = "10s", negative = "4s", stale = "5s"];
}

#[cfg(feature = "disk")]
functions! {
    plain(0, 10, 0, 0, 0, 0): [ttl = "10s"];
    stale(1, 10, 20, 0, 0, 0): [ttl = "10s", stale = "20s"];
    grace(2, 10, 0, 40, 0, 0): [ttl = "10s", grace = "40s"];
    both(3, 10, 20, 40, 0, 0): [ttl = "10s", stale = "20s", grace = "40s"];
    refreshed(4, 10, 0, 0, 0, 0): [ttl = "10s", refresh = "4s"];
    all(5, 10, 20, 40, 3, 0): [ttl = "10s", stale = "20s", grace = "40s", refresh = "4s", negative = "3s", jitter = "20%"];
    hurried(6, 10, 20, 40, 0, 2): [ttl = "10s", stale = "20s", grace = "40s", timeout = "2s"];
    by_chance(7, 10, 0, 40, 0, 1): [ttl = "10s", refresh = "auto", grace = "40s", timeout = "1s"];
    negative(8, 10, 5, 0, 4, 0): [ttl = "10s", negative = "4s", stale = "5s"];
    on_disk(9, 10, 0, 0, 0, 0): [tier = "l1,l2", ttl = "10s"];
    disk_alone(10, 10, 0, 0, 0, 0): [tier = "l2", ttl = "10s"];
    disk_all(11, 10, 20, 40, 0, 0): [tier = "l1,l2", ttl = "10s", stale = "20s", grace = "40s", refresh = "4s"];
    disk_hurried(12, 10, 20, 40, 3, 2): [tier = "l1,l2", ttl = "10s", stale = "20s", grace = "40s", timeout = "2s", negative = "3s"];
}
