//! Cached functions of every kind that the tier has, which return when their bodies began.

use crate::journal;
use larder::{Error, blocking, cached};
use serde::{Deserialize, Serialize};
use std::thread;
use std::time::Duration;

/// How many keys each function has.
pub(crate) const KEYS: u64 = 6;
/// How many keys of the inner function those of the outer ones share.
const INNER: u64 = 4;

/// What all functions return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Value {
    pub(crate) function: Function,
    pub(crate) key: u64,
    /// When the body began.
    pub(crate) born: u64,
    /// When that of the inner function did, where there is one.
    pub(crate) inner: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Function {
    /// In Redis alone, so that whatever is not computed was read there.
    Shared,
    /// The same, and computed anew by wish.
    Renewed,
    Near,
    NearAsync,
    /// What it depends on is found inside its body.
    Found,
    Inner,
    Outer,
    /// In Redis alone, made of what is in memory.
    OuterShared,
    /// On the disk of a machine, and in Redis.
    Kept,
    /// Of keys that all come to at the same time, and never again.
    Turn,
}

/// Those that are called for the same keys again and again.
pub(crate) const FUNCTIONS: [Function; 9] = [
    Function::Shared,
    Function::Renewed,
    Function::Near,
    Function::NearAsync,
    Function::Found,
    Function::Inner,
    Function::Outer,
    Function::OuterShared,
    Function::Kept,
];

/// A body: it takes its time, so that it is overtaken and waited for.
fn compute(function: Function, key: u64, inner: impl FnOnce() -> u64) -> Value {
    let body = journal::begin(function, key);
    let inner = inner();
    match body.born % 32 {
        0..8 => {}
        8..28 => thread::yield_now(),
        some => thread::sleep(Duration::from_millis(some - 27)),
    }
    let value = Value { function, key, born: body.born, inner };
    body.end();
    value
}

#[cached(
    tier = "l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::shared",
    key = "shared:{key}",
    tags("third:{third}", "half:{half}")
)]
fn shared(key: u64, third: u64, half: u64) -> Value {
    compute(Function::Shared, key, || 0)
}

#[cached(
    tier = "l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::renewed",
    key = "renewed:{key}",
    tags("third:{third}", "half:{half}")
)]
async fn renewed(key: u64, third: u64, half: u64) -> Value {
    futures_lite::future::yield_now().await;
    compute(Function::Renewed, key, || 0)
}

#[cached(
    tier = "l1,l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::near",
    key = "near:{key}",
    tags("third:{third}", "half:{half}")
)]
fn near(key: u64, third: u64, half: u64) -> Value {
    compute(Function::Near, key, || 0)
}

#[cached(
    tier = "l1,l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::near_async",
    key = "near_async:{key}",
    tags("third:{third}", "half:{half}")
)]
async fn near_async(key: u64, third: u64, half: u64) -> Value {
    futures_lite::future::yield_now().await;
    compute(Function::NearAsync, key, || 0)
}

#[cached(tier = "l1,l3", ttl = "1h", wait = "1h", name = "fleet::found", key = "found:{key}")]
fn found(key: u64) -> Value {
    compute(Function::Found, key, || {
        larder::tag(format!("third:{}", key % 3));
        larder::tag(format!("half:{}", key % 2));
        0
    })
}

#[cached(
    tier = "l1,l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::inner",
    key = "inner:{key}",
    tags("third:{third}", "half:{half}")
)]
fn inner(key: u64, third: u64, half: u64) -> Value {
    compute(Function::Inner, key, || 0)
}

fn of_inner(key: u64) -> u64 {
    let key = key % INNER;
    inner(key, key % 3, key % 2).born
}

#[cached(tier = "l1,l3", ttl = "1h", wait = "1h", name = "fleet::outer", key = "outer:{key}")]
fn outer(key: u64) -> Value {
    compute(Function::Outer, key, || of_inner(key))
}

#[cached(
    tier = "l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::outer_shared",
    key = "outer_shared:{key}"
)]
fn outer_shared(key: u64) -> Value {
    compute(Function::OuterShared, key, || of_inner(key))
}

#[cached(
    tier = "l2,l3",
    ttl = "1h",
    wait = "1h",
    name = "fleet::kept",
    key = "kept:{key}",
    tags("third:{third}", "half:{half}")
)]
async fn kept(key: u64, third: u64, half: u64) -> Value {
    compute(Function::Kept, key, || 0)
}

#[cached(tier = "l1,l3", ttl = "10s", wait = "1h", name = "fleet::turn")]
fn turn(key: u64) -> Value {
    compute(Function::Turn, key, || {
        thread::sleep(Duration::from_millis(3));
        0
    })
}

impl Function {
    /// The function and the key whose value is in the one of this key.
    pub(crate) fn contains(self, key: u64) -> Option<(Self, u64)> {
        match self {
            Self::Outer | Self::OuterShared => Some((Self::Inner, key % INNER)),
            _ => None,
        }
    }

    /// Whether nothing of it is kept in memory.
    pub(crate) fn is_in_redis_alone(self) -> bool {
        matches!(self, Self::Shared | Self::Renewed | Self::OuterShared)
    }

    /// Whether nothing but want of a value makes anyone compute it: it is never called from inside
    /// another, where nobody waits, nor computed anew by wish.
    pub(crate) fn is_computed_in_turn(self) -> bool {
        matches!(self, Self::Shared | Self::Near | Self::NearAsync | Self::Turn)
    }

    pub(crate) fn by_number(number: u64) -> Self {
        FUNCTIONS.get(number as usize).copied().unwrap_or(Self::Turn)
    }

    pub(crate) async fn call(self, key: u64) -> Value {
        let (third, half) = (key % 3, key % 2);
        match self {
            Self::Shared => shared(key, third, half),
            Self::Renewed => renewed(key, third, half).await,
            Self::Near => near(key, third, half),
            Self::NearAsync => near_async(key, third, half).await,
            Self::Found => found(key),
            Self::Inner => inner(key, third, half),
            Self::Outer => outer(key),
            Self::OuterShared => outer_shared(key),
            Self::Kept => kept(key, third, half).await,
            Self::Turn => turn(key),
        }
    }

    pub(crate) async fn invalidate(self, key: u64) -> Result<(), Error> {
        match self {
            Self::Shared => shared::invalidate(key),
            Self::Renewed => renewed::invalidate(key).await,
            Self::Near => near::invalidate(key),
            Self::NearAsync => near_async::invalidate(key).await,
            Self::Found => found::invalidate(key),
            Self::Inner => inner::invalidate(key),
            Self::Outer => outer::invalidate(key),
            Self::OuterShared => outer_shared::invalidate(key),
            Self::Kept => kept::invalidate(key).await,
            Self::Turn => turn::invalidate(key),
        }
    }

    pub(crate) fn invalidate_all(self) -> Result<(), Error> {
        blocking::invalidate_function(match self {
            Self::Shared => "fleet::shared",
            Self::Renewed => "fleet::renewed",
            Self::Near => "fleet::near",
            Self::NearAsync => "fleet::near_async",
            Self::Found => "fleet::found",
            Self::Inner => "fleet::inner",
            Self::Outer => "fleet::outer",
            Self::OuterShared => "fleet::outer_shared",
            Self::Kept => "fleet::kept",
            Self::Turn => "fleet::turn",
        })
    }
}

/// Computes what is cached.
pub(crate) async fn renew(key: u64) -> Value {
    renewed::refresh(key, key % 3, key % 2).await
}
