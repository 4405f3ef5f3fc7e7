//! Methods and associated functions.

use larder::{Runtime, cached};
use std::sync::Arc;

/// Decides for a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Engine {
    tenant: u64,
    name: String,
}

impl Engine {
    /// Makes one.
    #[must_use]
    pub const fn new(tenant: u64) -> Self {
        Self { tenant, name: String::new() }
    }

    /// By a field.
    #[cached(key(self.tenant, id), handle = decide_entry)]
    #[must_use]
    pub fn decide(&self, id: u64) -> u64 {
        self.tenant + id
    }

    /// As a whole.
    #[cached(key(self, id), handle = whole_entry)]
    pub async fn whole(&self, id: u64) -> u64 {
        std::future::ready(()).await;
        self.tenant + id
    }

    /// Not at all.
    #[cached(skip(self))]
    #[must_use]
    pub fn shared(&self, id: u64) -> u64 {
        id
    }

    /// Consumed.
    #[cached(key(self.name, suffix))]
    #[must_use]
    pub fn consumed(mut self, suffix: &str) -> String {
        self.name.push_str(suffix);
        self.name
    }

    /// Behind a pointer.
    #[cached(key(self.tenant), handle = pointed_at_entry)]
    #[must_use]
    pub fn pointed_at(self: Arc<Self>) -> u64 {
        self.tenant
    }

    /// Without a receiver.
    #[cached(handle = made_entry)]
    #[must_use]
    pub fn made(tenant: u64) -> Self {
        Self::new(tenant)
    }

    /// Without a companion.
    #[cached(handle = none, runtime = runtime, skip(runtime))]
    #[must_use]
    pub fn counted(tenant: u64, runtime: &Runtime) -> u64 {
        tenant
    }
}

/// What decides.
pub trait Decides {
    /// What it decides on.
    type Answer;

    /// Decides.
    fn decide_on(&self, id: u64) -> Self::Answer;

    /// Decides later.
    fn decide_later(&self, id: u64) -> impl Future<Output = Option<u64>> + Send;

    /// Decides as everybody does.
    #[cached(key(self.tenant(), id))]
    fn as_everybody(&self, id: u64) -> u64 {
        self.tenant() + id
    }

    /// For whom.
    fn tenant(&self) -> u64;
}

impl Decides for Engine {
    type Answer = Option<String>;

    #[cached(key = "{self.tenant}:{id}")]
    fn decide_on(&self, id: u64) -> Self::Answer {
        (id > 0).then(|| self.name.clone())
    }

    #[cached(key(self.tenant, id))]
    async fn decide_later(&self, id: u64) -> Option<u64> {
        std::future::ready(()).await;
        id.checked_add(self.tenant)
    }

    fn tenant(&self) -> u64 {
        self.tenant
    }
}
