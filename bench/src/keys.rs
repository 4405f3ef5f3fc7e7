//! What functions are called with: all keys there are, and the order they are asked for.

use crate::zipf::Zipf;

const EXPONENT: f64 = 0.99;

/// The keys of a workload, made beforehand so that drawing them costs nothing in a round.
pub(crate) struct Keys<K> {
    /// Each key once.
    pub(crate) all: Vec<K>,
    /// A sequence of draws from them.
    pub(crate) asked: Vec<K>,
}

impl<K> Keys<K> {
    /// Draws `calls` keys out of `count`, some of them far more often than others.
    pub(crate) fn draw(count: u32, calls: usize, key: impl Fn(u64) -> K) -> Self {
        Self::drawn(count, calls, EXPONENT, key)
    }

    /// Draws `calls` keys out of `count`, each as often as any other.
    pub(crate) fn draw_evenly(count: u32, calls: usize, key: impl Fn(u64) -> K) -> Self {
        Self::drawn(count, calls, 0.0, key)
    }

    /// Has each of some callers ask for its own keys in turn, so that no two ever ask for the same one.
    /// Callers follow each other in the sequence.
    pub(crate) fn divide(
        callers: usize,
        (each, calls): (usize, usize),
        key: impl Fn(u64) -> K,
    ) -> Self {
        let key = |rank: usize| key(scatter(rank));
        let turns = |caller: usize| (0..calls).map(move |call| caller * each + call % each);
        Self {
            all: (0..callers * each).map(&key).collect(),
            asked: (0..callers).flat_map(turns).map(&key).collect(),
        }
    }

    fn drawn(count: u32, calls: usize, exponent: f64, key: impl Fn(u64) -> K) -> Self {
        let key = |rank: usize| key(scatter(rank));
        Self {
            all: (0..).take(usize::try_from(count).expect("32 bits fit")).map(key).collect(),
            asked: Zipf::new(count, exponent).take(calls).map(key).collect(),
        }
    }
}

/// An identifier as a program might have it: no two ranks share one, and none tells its rank.
fn scatter(rank: usize) -> u64 {
    let rank = u64::try_from(rank).expect("a rank fits into 64 bits");
    rank.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A key as it is.
pub(crate) fn number(id: u64) -> u64 {
    id
}

/// A key in text.
pub(crate) fn text(id: u64) -> String {
    format!("customer:{id:016x}")
}

#[cfg(test)]
mod tests {
    use super::{Keys, number};
    use std::collections::HashSet;

    #[test]
    fn callers_have_no_key_in_common_and_ask_for_all_of_theirs() {
        let keys = Keys::divide(3, (2, 5), number);
        let set = |keys: &[u64]| keys.iter().copied().collect::<HashSet<_>>();
        let asked: Vec<_> = keys.asked.chunks(5).map(set).collect();
        let all: Vec<_> = keys.all.chunks(2).map(set).collect();
        assert_eq!(asked, all);
        assert_eq!(set(&keys.all).len(), 6);
    }
}
