//! An engine whose decisions are shared with other processes, through Redis.
//!
//! An ambient context has no form in bytes, so what depends on one stays in its process. Here the
//! permissions are a part of the key.

use crate::deliberation::Deliberation;
use crate::engine::DelegationEngine;
use crate::policy::Verdict;
use crate::request::{DecideError, Decision, Request};
use async_trait::async_trait;
use larder::{CallContext, cached};

pub(crate) struct SharedEngine {
    deliberation: Deliberation,
}

#[async_trait]
impl DelegationEngine for SharedEngine {
    #[cached(
        name = "delegation.shared.decide",
        tier = "l1,l3",
        ttl = "1h",
        key(
            self.deliberation.realm(),
            request.symbol,
            request.argument_types,
            request.permissions
        ),
        tags("capability:{request.symbol}")
    )]
    async fn decide(&self, request: &Request) -> Result<Decision, DecideError> {
        self.deliberation.decide(self.judge(request).await?, request).await
    }

    fn deliberation(&self) -> &Deliberation {
        &self.deliberation
    }

    fn call_context(&self, request: &Request) -> CallContext {
        self.verdict(request).call_context()
    }

    fn name(&self) -> &'static str {
        "delegation.shared.decide"
    }

    fn memory(&self) -> &'static str {
        "this process and Redis"
    }
}

impl SharedEngine {
    pub(crate) fn new(deliberation: Deliberation) -> Self {
        Self { deliberation }
    }

    /// Finds how far the caller's permissions reach; survives changes that are not the policy's.
    #[cached(
        name = "delegation.shared.judge",
        tier = "l1,l3",
        ttl = "1h",
        key(
            self.deliberation.realm(),
            request.symbol,
            request.argument_types,
            request.permissions
        ),
        tags("policy"),
        handle = verdict
    )]
    async fn judge(&self, request: &Request) -> Result<Verdict, DecideError> {
        self.deliberation.judge(request.permissions).await
    }
}
