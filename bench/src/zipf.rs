//! Draws from a Zipf distribution: the n-th most wanted of some things is wanted `1 / n^s` as often
//! as the first.
//!
//! By inversion of the cumulative weights, which is exact. Draws are the same in every run.

/// A reproducible sequence of ranks, from 0.
pub(crate) struct Zipf {
    cumulative: Vec<f64>,
    state: u64,
}

impl Zipf {
    /// A distribution over `ranks` ranks.
    pub(crate) fn new(ranks: u32, exponent: f64) -> Self {
        let mut sum = 0.0;
        let weigh = |rank: u32| {
            sum += f64::from(rank).powf(-exponent);
            sum
        };
        Self { cumulative: (1..=ranks).map(weigh).collect(), state: 0 }
    }

    /// A number from 0 to 1, by `splitmix64`.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        let high = u32::try_from(bits >> 32).expect("half of 64 bits is left");
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }
}

impl Iterator for Zipf {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let all = *self.cumulative.last()?;
        let drawn = self.uniform() * all;
        Some(self.cumulative.partition_point(|sum| *sum <= drawn).min(self.cumulative.len() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_rank_is_drawn_half_as_often_as_the_first() {
        let draws: Vec<usize> = Zipf::new(1_000, 1.0).take(200_000).collect();
        let count = |rank| draws.iter().filter(|it| **it == rank).count();
        let (first, second) = (count(0), count(1));
        assert!((18..=22).contains(&(10 * first / second)), "{first} and {second}");
        assert!(draws.iter().all(|rank| *rank < 1_000));
    }
}
