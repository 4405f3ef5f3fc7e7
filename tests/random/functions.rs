//! The functions that are driven: one for each kind of options, and pairs of them.

use crate::history::{self, body};
use larder::{Explanation, Options, cached};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
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
    pub(crate) peek: fn(u8) -> Calling<Option<Answer>>,
    pub(crate) explain: fn(u8) -> Calling<Explanation>,
}

impl Function {
    /// Whether an invalidation in one process is heard by all at once.
    pub(crate) fn is_on_disk(&self) -> bool {
        self.name.starts_with("disk")
    }

    /// Whether values are kept on the server alone. What is kept nearer, too, is invalidated for others
    /// only when they have heard of it.
    pub(crate) fn is_far(&self) -> bool {
        self.name.starts_with("far")
    }

    /// Whether a server may tell a process of what others have invalidated a while ago.
    pub(crate) fn is_told_from_afar(&self) -> bool {
        self.is_far() || self.name.starts_with("shared")
    }

    /// Whether a value is kept.
    pub(crate) fn keeps(&self, number: u64) -> bool {
        !self.name.starts_with("choosy") || is_kept(&Ok(number))
    }

    /// After which a call is answered without a body.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.name.ends_with("limited").then_some(DEADLINE)
    }

    /// How long a value is fresh.
    pub(crate) fn ttl_of(&self, number: u64) -> Duration {
        if self.name.starts_with("choosy") { own_ttl(&Ok(number)) } else { self.ttl }
    }
}

/// What is answered then.
pub(crate) const MADE_UP: Answer = Ok(u64::MAX);

const DEADLINE: Duration = seconds(5);

fn made_up(_: u8) -> Answer {
    MADE_UP
}

fn is_kept(answer: &Answer) -> bool {
    answer.is_ok_and(|number| number % 3 > 0)
}

fn own_ttl(answer: &Answer) -> Duration {
    seconds(if answer.is_ok_and(|number| number % 2 > 0) { 4 } else { 10 })
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

macro_rules! functions {
    ($($(#[$condition:meta])* $name:ident($ttl:literal, $stale:literal, $grace:literal, $negative:literal, $timeout:literal): [$($option:tt)*];)*) => {
        $(
            $(#[$condition])*
            #[cached(tags("all", "key:{key}"), $($option)*)]
            async fn $name(key: u8) -> Answer {
                body(stringify!($name), key).await
            }
        )*

        /// All of them.
        pub(crate) const ALL: &[Function] = &[MANY, $($(#[$condition])* Function {
            name: stringify!($name),
            ttl: seconds($ttl),
            stale: seconds($stale),
            grace: seconds($grace),
            negative: seconds($negative),
            timeout: if $timeout > 0 { Some(seconds($timeout)) } else { None },
            call: |key| Box::pin($name(key)),
            call_with: |options, key| Box::pin($name::with(options, key)),
            invalidate: |key| Box::pin($name::invalidate(key)),
            peek: |key| Box::pin($name::peek(key)),
            explain: |key| Box::pin($name::explain(key)),
        }),*];
    };
}

/// Of both keys at once. A panic is that of both, an error of one.
#[cfg_attr(
    feature = "disk",
    cached(
        batch = keys, tier = "l1,l2", ttl = "10s", stale = "20s", grace = "40s", refresh = "4s", timeout = "2s",
        tags("all", "key:{key}")
    )
)]
#[cfg_attr(
    not(feature = "disk"),
    cached(
        batch = keys, ttl = "10s", stale = "20s", grace = "40s", refresh = "4s", timeout = "2s",
        tags("all", "key:{key}")
    )
)]
async fn disk_many(keys: Vec<u8>) -> HashMap<u8, Answer> {
    let mut bodies: Vec<_> =
        keys.into_iter().map(|key| (key, Box::pin(body("disk_many", key)))).collect();
    let mut answers = HashMap::new();
    poll_fn(|task| {
        bodies.retain_mut(|(key, body)| match body.as_mut().poll(task) {
            Poll::Ready(answer) => {
                answers.insert(*key, answer);
                false
            }
            Poll::Pending => true,
        });
        if bodies.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    answers
}

/// The same one by one.
#[cached(batch_of = disk_many)]
async fn disk_one(key: u8) -> Option<Answer> {
    Some(body("disk_many", key).await)
}

async fn one_of_many(key: u8) -> Answer {
    if history::tick().is_multiple_of(4) {
        return disk_one(key).await.expect("the body has something for it");
    }
    let keys = if key == 0 { vec![1, 0] } else { vec![0, 1] };
    disk_many(keys).await.remove(&key).expect("the body has something for each")
}

const MANY: Function = Function {
    name: "disk_many",
    ttl: seconds(10),
    stale: seconds(20),
    grace: seconds(40),
    negative: seconds(0),
    timeout: Some(seconds(2)),
    call: |key| Box::pin(one_of_many(key)),
    call_with: |options, key| Box::pin(larder::scope(options, one_of_many(key))),
    invalidate: |key| Box::pin(async move { disk_many::invalidate(&key).await }),
    peek: |key| Box::pin(async move { disk_many::peek(&key).await.flatten() }),
    explain: |key| Box::pin(async move { disk_many::explain(&key).await }),
};

functions! {
    plain(10, 0, 0, 0, 0): [ttl = "10s"];
    stale(10, 20, 0, 0, 0): [ttl = "10s", stale = "20s"];
    grace(10, 0, 40, 0, 0): [ttl = "10s", grace = "40s"];
    both(10, 20, 40, 0, 0): [ttl = "10s", stale = "20s", grace = "40s"];
    refreshed(10, 0, 0, 0, 0): [ttl = "10s", refresh = "4s"];
    all(10, 20, 40, 3, 0): [ttl = "10s", stale = "20s", grace = "40s", refresh = "4s", negative = "3s", jitter = "20%"];
    hurried(10, 20, 40, 0, 2): [ttl = "10s", stale = "20s", grace = "40s", timeout = "2s"];
    by_chance(10, 0, 40, 0, 1): [ttl = "10s", refresh = "auto", grace = "40s", timeout = "1s"];
    negative(10, 5, 0, 4, 0): [ttl = "10s", negative = "4s", stale = "5s"];
    limited(10, 20, 40, 0, 5): [ttl = "10s", stale = "20s", grace = "40s", refresh = "4s", deadline = "5s", fallback = made_up];
    choosy(10, 20, 40, 0, 0): [ttl_for = own_ttl, cache_if = is_kept, stale = "20s", grace = "40s", refresh = "2s"];
    #[cfg(feature = "disk")]
    disk_plain(10, 0, 0, 0, 0): [tier = "l1,l2", ttl = "10s"];
    #[cfg(feature = "disk")]
    disk_alone(10, 20, 40, 0, 0): [tier = "l2", ttl = "10s", stale = "20s", grace = "40s", refresh = "4s"];
    #[cfg(feature = "disk")]
    disk_all(10, 20, 40, 0, 0): [tier = "l1,l2", ttl = "10s", stale = "20s", grace = "40s", refresh = "4s"];
    #[cfg(feature = "disk")]
    disk_hurried(10, 20, 40, 3, 2): [tier = "l1,l2", ttl = "10s", stale = "20s", grace = "40s", timeout = "2s", negative = "3s"];
    #[cfg(feature = "disk")]
    disk_limited(10, 0, 40, 0, 2): [tier = "l2", ttl = "10s", grace = "40s", timeout = "2s", deadline = "5s", fallback = made_up];
    // What is on the server ages by its own clock, which does not move here.
    #[cfg(feature = "redis")]
    far_plain(3_600, 0, 0, 0, 0): [tier = "l3", ttl = "1h"];
    #[cfg(feature = "redis")]
    far_all(3_600, 60, 3_600, 0, 2): [tier = "l3", ttl = "1h", stale = "1m", grace = "1h", refresh = "1m", timeout = "2s"];
    #[cfg(feature = "redis")]
    shared(3_600, 0, 0, 0, 0): [tier = "l1,l3", ttl = "1h"];
    #[cfg(feature = "redis")]
    shared_all(3_600, 60, 3_600, 0, 2): [tier = "l1,l3", ttl = "1h", stale = "1m", grace = "1h", refresh = "1m", timeout = "2s"];
    #[cfg(all(feature = "disk", feature = "redis"))]
    shared_near(3_600, 60, 3_600, 0, 2): [tier = "l1,l2,l3", ttl = "1h", stale = "1m", grace = "1h", refresh = "1m", timeout = "2s"];
}
