//! Functions cached by larder: with a time to live, one tag, and the counters it always has.

use super::{CAPACITY, Directory};
use crate::truth::{self, compute};
use std::fmt::Display;
use std::future::ready;
use std::hash::Hash;
use std::sync::Arc;

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
pub(crate) fn number(id: u64) -> u64 {
    compute(truth::number(id))
}

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
pub(crate) fn string(id: &str) -> String {
    compute(truth::string(id))
}

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
pub(crate) fn shared(id: &str) -> Arc<str> {
    compute(truth::shared(id))
}

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
pub(crate) async fn number_async(id: u64) -> u64 {
    compute(ready(truth::number(id)).await)
}

#[larder::cached(ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
pub(crate) fn generic<T>(id: T) -> u64
where
    T: Copy + Display + Eq + Hash + Into<u64> + Send + Sync + 'static,
{
    compute(truth::number(id.into()))
}

impl Directory {
    #[larder::cached(key(self.tenant, id), ttl = "1h", tags("user:{id}"), capacity = CAPACITY)]
    pub(crate) fn by_larder(&self, id: u64) -> u64 {
        compute(truth::number(self.tenant ^ id))
    }
}

/// Carries the tags that are invalidated while others are measured.
#[larder::cached(ttl = "1h", tags("other:{id}"), capacity = CAPACITY)]
pub(crate) fn other(id: u64) -> u64 {
    truth::number(id)
}
