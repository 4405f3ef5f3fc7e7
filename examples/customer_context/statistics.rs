//! What came from where, for whoever watches the service.

use crate::database::Database;
use crate::function::{Function, rate};
use larder::{Breaker, FunctionStats, RedisStats};
use serde::Serialize;

/// In this process, since it started. `l1` is its memory, `l2` what stands behind that: Redis. A look-up
/// of a conversation that finds nothing looks its context up, too. Rates are in per cent.
#[derive(Serialize)]
pub(crate) struct Statistics {
    pub(crate) l1_hits: u64,
    pub(crate) l1_misses: u64,
    pub(crate) l1_hit_rate: f64,
    pub(crate) l2_hits: u64,
    pub(crate) l2_misses: u64,
    pub(crate) l2_hit_rate: f64,
    pub(crate) overall_hit_rate: f64,
    /// Hits whose time was over, while they were computed anew.
    pub(crate) stale_hits: u64,
    /// Values served whose time was over, since computing them anew had failed.
    pub(crate) grace_hits: u64,
    /// Look-ups that waited for another one of the same, in whatever process. They count as misses.
    pub(crate) joins: u64,
    pub(crate) computations: u64,
    pub(crate) source_queries: u64,
    /// How often Redis was done without because it could not be asked.
    pub(crate) degraded: u64,
    pub(crate) redis: Redis,
    pub(crate) functions: Vec<Function>,
}

#[derive(Serialize)]
pub(crate) struct Redis {
    pub(crate) state: &'static str,
    /// The addresses of those that are asked.
    pub(crate) servers: Vec<String>,
    /// How often it was connected to.
    pub(crate) connections: u64,
    /// Invalidations that it has yet to be told of.
    pub(crate) pending_invalidations: u64,
}

impl Statistics {
    pub(crate) fn now(database: &Database) -> Self {
        let larder::Stats { functions, redis, .. } = larder::stats();
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
            stale_hits: sum(|it| it.stale_hits),
            grace_hits: sum(|it| it.grace_hits),
            joins: sum(|it| it.joins + it.joins_l3),
            computations: sum(|it| it.computations),
            source_queries: database.queries(),
            degraded: sum(|it| it.degraded),
            redis: Redis::from(redis),
            functions: functions.iter().map(Function::from).collect(),
        }
    }
}

impl From<Option<RedisStats>> for Redis {
    fn from(tier: Option<RedisStats>) -> Self {
        let Some(tier) = tier else {
            let (state, servers) = ("not configured", Vec::new());
            return Self { state, servers, connections: 0, pending_invalidations: 0 };
        };
        let state = match tier.breaker {
            Breaker::Closed => "connected",
            _ => "unreachable",
        };
        Self {
            state,
            servers: tier.servers.into_iter().map(|it| it.address).collect(),
            connections: tier.connections,
            pending_invalidations: tier.pending,
        }
    }
}
