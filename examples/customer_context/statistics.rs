//! What came from where, for whoever watches the service.

use crate::database::Database;
use crate::lookup::{context, conversation};
use larder::{Breaker, FunctionStats, RedisStats};
use serde::Serialize;

/// In this process, since it started. `l1` is its memory, `l2` what stands behind that: Redis. A look-up
/// of a conversation that finds nothing looks its context up, too. Rates are in per cent.
#[derive(Serialize)]
pub(crate) struct Statistics {
    l1_hits: u64,
    l1_misses: u64,
    l1_hit_rate: f64,
    l2_hits: u64,
    l2_misses: u64,
    l2_hit_rate: f64,
    overall_hit_rate: f64,
    /// Look-ups that waited for another one of the same, in whatever process. They count as misses.
    joins: u64,
    computations: u64,
    source_queries: u64,
    /// How often Redis was done without because it could not be asked.
    degraded: u64,
    redis: Redis,
}

#[derive(Serialize)]
struct Redis {
    state: &'static str,
    /// How often it was connected to.
    connections: u64,
    /// Invalidations that it has yet to be told of.
    pending_invalidations: u64,
}

impl Statistics {
    pub(crate) fn now(database: &Database) -> Self {
        let functions = [context::stats(), conversation::stats()];
        let sum = |of: fn(&FunctionStats) -> u64| functions.iter().map(of).sum();
        let l1_hits = sum(|it| it.hits - it.hits_l3);
        let l2_hits = sum(|it| it.hits_l3);
        let l2_misses = sum(FunctionStats::misses);
        let l1_misses = l2_hits + l2_misses;
        Self {
            l1_hits,
            l1_misses,
            l1_hit_rate: rate(l1_hits, l1_misses),
            l2_hits,
            l2_misses,
            l2_hit_rate: rate(l2_hits, l2_misses),
            overall_hit_rate: rate(l1_hits + l2_hits, l2_misses),
            joins: sum(|it| it.joins + it.joins_l3),
            computations: sum(|it| it.computations),
            source_queries: database.queries(),
            degraded: sum(|it| it.degraded),
            redis: Redis::from(larder::stats().redis),
        }
    }
}

impl From<Option<RedisStats>> for Redis {
    fn from(tier: Option<RedisStats>) -> Self {
        let Some(tier) = tier else {
            return Self { state: "not configured", connections: 0, pending_invalidations: 0 };
        };
        let state = match tier.breaker {
            Breaker::Closed => "connected",
            _ => "unreachable",
        };
        Self { state, connections: tier.connections, pending_invalidations: tier.pending }
    }
}

/// In per cent, to a tenth.
fn rate(hits: u64, misses: u64) -> f64 {
    let all = hits + misses;
    #[expect(clippy::cast_precision_loss, reason = "a rate is rounded anyway")]
    if all == 0 { 0.0 } else { (hits as f64 / all as f64 * 1_000.0).round() / 10.0 }
}
