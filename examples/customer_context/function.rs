//! What one cached function did.

use larder::FunctionStats;
use serde::Serialize;

/// In this process, since it started. Rates are in per cent; `l1` is its memory, `l2` is Redis.
#[derive(Serialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) hit_rate: f64,
    pub(crate) l1_hits: u64,
    pub(crate) l2_hits: u64,
    pub(crate) misses: u64,
    pub(crate) computations: u64,
    pub(crate) failures: u64,
    /// Held in memory now.
    pub(crate) entries: u64,
    /// Milliseconds that half of the computations took at most, to the next power of two of nanoseconds.
    pub(crate) p50_ms: Option<f64>,
    /// The same of 99 in 100.
    pub(crate) p99_ms: Option<f64>,
}

impl From<&FunctionStats> for Function {
    fn from(stats: &FunctionStats) -> Self {
        let (hits, misses) = (stats.hits, stats.misses());
        let milliseconds = |quantile| {
            let time = stats.computation_time.quantile(quantile)?;
            Some((time.as_secs_f64() * 1e6).round() / 1e3)
        };
        Self {
            name: stats.name.clone(),
            hit_rate: rate(hits, misses),
            l1_hits: hits - stats.hits_l3,
            l2_hits: stats.hits_l3,
            misses,
            computations: stats.computations,
            failures: stats.failures,
            entries: stats.entries,
            p50_ms: milliseconds(0.5),
            p99_ms: milliseconds(0.99),
        }
    }
}

/// In per cent, to a tenth.
pub(crate) fn rate(hits: u64, misses: u64) -> f64 {
    let all = hits + misses;
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    if all == 0 { 0.0 } else { (hits as f64 / all as f64 * 1_000.0).round() / 10.0 }
}
