//! Cached functions of every kind, which return when their bodies began, and what invalidates them.

use crate::words::Words;
use larder::{blocking, cached};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::sync::atomic::Ordering::SeqCst;

/// How many keys each function has.
pub(super) const KEYS: u64 = 6;
/// How many keys of the inner functions those of the outer ones share.
const INNER: u64 = 4;

static SEQUENCE: OnceLock<Words> = OnceLock::new();

/// Numbers that all processes count up together: what has a greater one came later.
pub(super) fn share(words: Words) {
    assert!(SEQUENCE.set(words).is_ok());
}

pub(super) fn next() -> u64 {
    let words = SEQUENCE.get().expect("it is shared first").all();
    // Zero is no moment.
    words[0].fetch_add(1, SeqCst) + 1
}

/// What all functions return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Value {
    pub(super) function: Function,
    pub(super) key: u64,
    /// When the body began.
    pub(super) born: u64,
    /// When that of the inner function did, where there is one.
    pub(super) inner: u64,
    check: u64,
}

impl Value {
    pub(super) fn new(function: Function, key: u64, born: u64, inner: u64) -> Self {
        let mut value = Self { function, key, born, inner, check: 0 };
        value.check = value.sum();
        value
    }

    fn sum(&self) -> u64 {
        let words = [self.function as u64, self.key, self.born, self.inner];
        words.iter().fold(7, |sum, word| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(super) fn is_of(&self, function: Function, key: u64) -> bool {
        (self.function, self.key, self.check) == (function, key, self.sum())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Function {
    Both,
    BothAsync,
    Disk,
    DiskAsync,
    Inner,
    Outer,
    OuterDisk,
    OuterAsync,
}

pub(super) const FUNCTIONS: [Function; 8] = [
    Function::Both,
    Function::BothAsync,
    Function::Disk,
    Function::DiskAsync,
    Function::Inner,
    Function::Outer,
    Function::OuterDisk,
    Function::OuterAsync,
];

/// What an invalidation names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Key(Function, u64),
    /// The tag of the keys with this remainder by three.
    Third(u64),
    /// Both tags: that of the remainder by three, and that of the one by two.
    ThirdAndHalf(u64, u64),
    /// All functions' keys of this number, by a pattern.
    Matching(u64),
    Function(Function),
    Everything,
}

/// A body: it takes its time, so that it is overtaken and waited for.
fn compute(function: Function, key: u64, inner: impl FnOnce() -> u64) -> Value {
    let born = super::journal::begin(function, key);
    let inner = inner();
    for _ in 0..(born % 7) * 200 {
        std::hint::spin_loop();
    }
    if born.is_multiple_of(5) {
        std::thread::yield_now();
    }
    Value::new(function, key, born, inner)
}

#[cached(
    tier = "l1,l2",
    ttl = "1h",
    wait = "1h",
    key = "both:{key}",
    tags("third:{third}", "half:{half}")
)]
fn both(key: u64, third: u64, half: u64) -> Value {
    compute(Function::Both, key, || 0)
}

#[cached(
    tier = "l1,l2",
    ttl = "1h",
    wait = "1h",
    key = "both_async:{key}",
    tags("third:{third}", "half:{half}")
)]
async fn both_async(key: u64, third: u64, half: u64) -> Value {
    futures_lite::future::yield_now().await;
    compute(Function::BothAsync, key, || 0)
}

#[cached(
    tier = "l2",
    ttl = "1h",
    wait = "1h",
    key = "disk:{key}",
    tags("third:{third}", "half:{half}")
)]
fn disk(key: u64, third: u64, half: u64) -> Value {
    compute(Function::Disk, key, || 0)
}

#[cached(
    tier = "l2",
    ttl = "1h",
    wait = "1h",
    key = "disk_async:{key}",
    tags("third:{third}", "half:{half}")
)]
async fn disk_async(key: u64, third: u64, half: u64) -> Value {
    futures_lite::future::yield_now().await;
    compute(Function::DiskAsync, key, || 0)
}

#[cached(
    tier = "l1,l2",
    ttl = "1h",
    wait = "1h",
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

#[cached(tier = "l1,l2", ttl = "1h", wait = "1h", key = "outer:{key}")]
fn outer(key: u64) -> Value {
    compute(Function::Outer, key, || of_inner(key))
}

#[cached(tier = "l2", ttl = "1h", wait = "1h", key = "outer_disk:{key}")]
fn outer_disk(key: u64) -> Value {
    compute(Function::OuterDisk, key, || of_inner(key))
}

#[cached(tier = "l1,l2", ttl = "1h", wait = "1h", key = "outer_async:{key}")]
async fn outer_async(key: u64) -> Value {
    futures_lite::future::yield_now().await;
    compute(Function::OuterAsync, key, || of_inner(key))
}

impl Function {
    /// The function and the key whose value is in the one of this key.
    pub(super) fn contains(self, key: u64) -> Option<(Self, u64)> {
        match self {
            Self::Outer | Self::OuterDisk | Self::OuterAsync => Some((Self::Inner, key % INNER)),
            _ => None,
        }
    }

    pub(super) fn by_number(number: u64) -> Self {
        FUNCTIONS[number as usize]
    }

    pub(super) async fn call(self, key: u64) -> Value {
        let (third, half) = (key % 3, key % 2);
        match self {
            Self::Both => both(key, third, half),
            Self::BothAsync => both_async(key, third, half).await,
            Self::Disk => disk(key, third, half),
            Self::DiskAsync => disk_async(key, third, half).await,
            Self::Inner => inner(key, third, half),
            Self::Outer => outer(key),
            Self::OuterDisk => outer_disk(key),
            Self::OuterAsync => outer_async(key).await,
        }
    }

    /// Computes whatever is cached.
    pub(super) async fn refresh(self, key: u64) -> Value {
        let (third, half) = (key % 3, key % 2);
        match self {
            Self::Both => both::refresh(key, third, half),
            Self::DiskAsync => disk_async::refresh(key, third, half).await,
            Self::Outer => outer::refresh(key),
            other => Box::pin(other.call(key)).await,
        }
    }

    async fn invalidate(self, key: u64) -> Result<(), larder::Error> {
        match self {
            Self::Both => both::invalidate(key),
            Self::BothAsync => both_async::invalidate(key).await,
            Self::Disk => disk::invalidate(key),
            Self::DiskAsync => disk_async::invalidate(key).await,
            Self::Inner => inner::invalidate(key),
            Self::Outer => outer::invalidate(key),
            Self::OuterDisk => outer_disk::invalidate(key),
            Self::OuterAsync => outer_async::invalidate(key).await,
        }
    }

    async fn invalidate_all(self) -> Result<(), larder::Error> {
        match self {
            Self::Both => both::invalidate_all(),
            Self::Inner => inner::invalidate_all(),
            Self::DiskAsync => disk_async::invalidate_all().await,
            other => blocking::invalidate_function(other.name()),
        }
    }

    fn name(self) -> &'static str {
        macro_rules! path {
            ($name:literal) => {
                concat!("process::consistency::functions::", $name)
            };
        }
        match self {
            Self::Both => path!("both"),
            Self::BothAsync => path!("both_async"),
            Self::Disk => path!("disk"),
            Self::DiskAsync => path!("disk_async"),
            Self::Inner => path!("inner"),
            Self::Outer => path!("outer"),
            Self::OuterDisk => path!("outer_disk"),
            Self::OuterAsync => path!("outer_async"),
        }
    }
}

impl Name {
    /// Whether what a function returns for a key is to be forgotten.
    pub(super) fn names(self, function: Function, key: u64) -> bool {
        let is_tagged = function.contains(key).is_none();
        let own = match self {
            Self::Key(named, number) => (named, number) == (function, key),
            Self::Third(third) => is_tagged && key % 3 == third,
            Self::ThirdAndHalf(third, half) => is_tagged && (key % 3, key % 2) == (third, half),
            Self::Matching(number) => number == key,
            Self::Function(named) => named == function,
            Self::Everything => true,
        };
        own || function.contains(key).is_some_and(|(inner, key)| self.names(inner, key))
    }

    pub(super) async fn invalidate(self) -> Result<(), larder::Error> {
        match self {
            Self::Key(function, key) => function.invalidate(key).await,
            Self::Third(third) => larder::invalidate_tag(&format!("third:{third}")).await,
            Self::ThirdAndHalf(third, half) => {
                let tags = [format!("third:{third}"), format!("half:{half}")];
                blocking::invalidate_tagged_with_all(tags)
            }
            Self::Matching(key) => blocking::invalidate_pattern(format!("*:{key}")),
            Self::Function(function) => function.invalidate_all().await,
            Self::Everything => larder::invalidate_all().await,
        }
    }

    /// A name by a number, for the journal.
    pub(super) fn words(self) -> [u64; 3] {
        match self {
            Self::Key(function, key) => [0, function as u64, key],
            Self::Third(third) => [1, third, 0],
            Self::ThirdAndHalf(third, half) => [2, third, half],
            Self::Matching(key) => [3, key, 0],
            Self::Function(function) => [4, function as u64, 0],
            Self::Everything => [5, 0, 0],
        }
    }

    pub(super) fn of_words([kind, one, other]: [u64; 3]) -> Self {
        match kind {
            0 => Self::Key(Function::by_number(one), other),
            1 => Self::Third(one),
            2 => Self::ThirdAndHalf(one, other),
            3 => Self::Matching(one),
            4 => Self::Function(Function::by_number(one)),
            _ => Self::Everything,
        }
    }

    pub(super) fn random(random: &mut fastrand::Rng) -> Self {
        let key = random.u64(..KEYS);
        let function = FUNCTIONS[random.usize(..FUNCTIONS.len())];
        match random.u32(..100) {
            0..35 => Self::Key(function, key),
            35..65 => Self::Third(key % 3),
            65..75 => Self::ThirdAndHalf(key % 3, key % 2),
            75..85 => Self::Matching(key),
            85..97 => Self::Function(function),
            _ => Self::Everything,
        }
    }
}
