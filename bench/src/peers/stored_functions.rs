//! Functions cached by larder in its disk tier.

use crate::truth::{self, compute};

#[larder::cached(tier = "l2", ttl = "1h")]
pub(crate) fn short(id: u64) -> Vec<u8> {
    compute(truth::bytes::<100>(id))
}

#[larder::cached(tier = "l2", ttl = "1h")]
pub(crate) fn middling(id: u64) -> Vec<u8> {
    compute(truth::bytes::<1_024>(id))
}

#[larder::cached(tier = "l2", ttl = "1h")]
pub(crate) fn long(id: u64) -> Vec<u8> {
    compute(truth::bytes::<16_384>(id))
}

/// Kept in memory, too.
#[larder::cached(tier = "l1,l2", ttl = "1h", tags("user:{id}"), capacity = 200_000)]
pub(crate) fn number(id: u64) -> u64 {
    compute(truth::number(id))
}
