//! Names of what an entry can depend on, folded to 128 bits.
//!
//! 1. A mark is compared with marks of this process only, unless it was made by one of the functions
//!    of [`beyond`]: those of all others have random seeds.
//! 2. Two names that met in one mark would cost a needless recomputation, never a wrong value:
//!    marks decide what is dropped, not what is served.

use crate::hash::Seed;
use std::any::TypeId;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

/// One thing that can be invalidated: a tag, a function, or a key of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Mark(u64, u64);

/// What the two halves of a mark, and every L1 map, hash with.
pub(crate) static SEEDS: LazyLock<[Seed; 2]> = LazyLock::new(|| [Seed::new(), Seed::new()]);

#[derive(Hash)]
enum Name<'a> {
    #[cfg(not(feature = "beyond"))]
    Tag(&'a str),
    Function {
        site: usize,
        name: &'a str,
    },
    AnyKey(usize),
    Keys {
        site: usize,
        family: TypeId,
        key: TypeId,
    },
}

/// In the second half of a mark: whether it is a function's.
const FUNCTION: u64 = 1;

impl Mark {
    fn of(name: &Name<'_>) -> Self {
        Self(SEEDS[0].hash_one(name), SEEDS[1].hash_one(name) & !FUNCTION)
    }

    #[cfg(not(feature = "beyond"))]
    pub(crate) fn tag(tag: &str) -> Self {
        Self::of(&Name::Tag(tag))
    }

    /// The same in every process.
    #[cfg(feature = "beyond")]
    pub(crate) fn tag(tag: &str) -> Self {
        beyond::mark(b"tag:", tag.as_bytes())
    }

    /// The mark of one function: two of one name have two marks, and so have two names of one site.
    pub(crate) fn function(site: usize, name: &str) -> Self {
        let Self(first, second) = Self::of(&Name::Function { site, name });
        Self(first, second | FUNCTION)
    }

    pub(crate) fn is_function(self) -> bool {
        self.1 & FUNCTION != 0
    }

    /// The mark that every invalidation of a key of a site records as well, for those who depend on
    /// a key that they don't know.
    pub(crate) fn any_key(site: usize) -> Self {
        Self::of(&Name::AnyKey(site))
    }

    /// What all key marks of one function are made from: `family` tells instantiations of a generic
    /// function apart, `key` the types of the arguments.
    pub(crate) fn keys(site: usize, family: TypeId, key: TypeId) -> Self {
        Self::of(&Name::Keys { site, family, key })
    }

    /// The mark of one key, of a function's `keys`. The hashes are of two seeds.
    #[inline]
    pub(crate) fn key(self, hashes: [u64; 2]) -> Self {
        Self(self.0 ^ hashes[0], (self.1 ^ hashes[1]) & !FUNCTION)
    }

    /// The slot of the key whose first hash this is, of a function's `keys`.
    #[inline]
    pub(crate) fn key_slot(self, hash: u64) -> u16 {
        self.key([hash, 0]).slot()
    }

    /// Where a table looks for the mark: evenly spread, and never the last that 16 bits can say.
    #[inline]
    pub(crate) fn slot(self) -> u16 {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let low = self.0 as u16;
        low.min(u16::MAX - 1)
    }
}

/// Marks that mean the same in every process.
#[cfg(feature = "beyond")]
pub(crate) mod beyond {
    use super::{FUNCTION, Mark};

    pub(super) fn mark(kind: &[u8], name: &[u8]) -> Mark {
        let mut hasher = blake3::Hasher::new();
        hasher.update(kind).update(name);
        let [first, second] = halves(hasher.finalize().as_bytes());
        Mark(first, second & !FUNCTION)
    }

    fn halves(digest: &[u8; 32]) -> [u64; 2] {
        [0, 8]
            .map(|at| u64::from_le_bytes(digest[at..at + 8].try_into().expect("eight of 32 bytes")))
    }

    /// Of every function of a name.
    pub(crate) fn function(name: &str) -> Mark {
        let Mark(first, second) = mark(b"function:", name.as_bytes());
        Mark(first, second | FUNCTION)
    }

    /// Of any key of every function of a name.
    pub(crate) fn any_key(name: &str) -> Mark {
        mark(b"any key:", name.as_bytes())
    }

    /// Of one key, of which this is the canonical form behind its function's identity.
    pub(crate) fn key(identity: &[u8; 32], canonical: &[u8]) -> Mark {
        let mut hasher = blake3::Hasher::new_keyed(identity);
        hasher.update(canonical);
        let [first, second] = halves(hasher.finalize().as_bytes());
        Mark(first, second & !FUNCTION)
    }

    impl Mark {
        pub(crate) fn words(self) -> [u64; 2] {
            [self.0, self.1]
        }

        pub(crate) fn from_words([first, second]: [u64; 2]) -> Self {
            Self(first, second)
        }
    }
}

/// A map keyed by marks needs no second hash.
#[derive(Default)]
pub(crate) struct MarkHasher(u64);

impl Hasher for MarkHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("a mark is two words, each written as one")
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = self.0.rotate_left(32) ^ word;
    }
}
