//! What has been counted of the tier as a whole.

use super::breaker::Breaker;

/// What has been counted of a runtime's Redis tier.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RedisStats {
    /// The servers that are asked, by address: one, or the primaries of a cluster.
    pub servers: Vec<ServerStats>,
    /// Whether servers are asked. Of several, that of the one in the worst state.
    pub breaker: Breaker,
    /// How often servers were no longer asked because they did not answer.
    pub breaker_openings: u64,
    /// Connections made.
    pub connections: u64,
    /// Answers that did not come in time.
    pub late: u64,
    /// Keys that servers told of because they had changed.
    pub changes: u64,
    /// Invalidations that wait to be delivered, those of this machine's other processes included where
    /// there is a disk tier.
    pub pending: u64,
    /// Versions that this process made: one for each tag, function or key that had none. Each is a key of
    /// the server that ends by itself after a week, or twice the longest time to live that it was made
    /// for, and before that when it is invalidated.
    pub versions_made: u64,
    /// Entries of the ledger of this namespace, as it was read last; never more than 1,024.
    pub ledger_entries: u64,
    /// Bytes of these entries, as they were read last, which is when there was need to; never more than
    /// 1,024 times 4,150.
    pub ledger_bytes: u64,
}

/// What has been counted of one server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct ServerStats {
    /// Its host and port or the path of its socket; with sentinels, "the primary of" and the name that they
    /// know it by.
    pub address: String,
    /// Whether it is asked.
    pub breaker: Breaker,
    /// How often it was no longer asked because it did not answer.
    pub breaker_openings: u64,
}

impl RedisStats {
    /// Of no server.
    pub(super) const NONE: Self = Self {
        servers: Vec::new(),
        breaker: Breaker::Closed,
        breaker_openings: 0,
        connections: 0,
        late: 0,
        changes: 0,
        pending: 0,
        versions_made: 0,
        ledger_entries: 0,
        ledger_bytes: 0,
    };
}
