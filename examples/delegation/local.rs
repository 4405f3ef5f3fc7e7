//! An engine whose decisions are remembered in this process, by its caller's permissions in the ambient
//! context.

use crate::deliberation::Deliberation;
use crate::engine::DelegationEngine;
use crate::policy::Verdict;
use crate::request::{DecideError, Decision, Request};
use async_trait::async_trait;
use larder::{CallContext, cached};

pub(crate) struct LocalEngine {
    deliberation: Deliberation,
}

#[async_trait]
impl DelegationEngine for LocalEngine {
    // No tag `policy`: the verdict that the decision is made from has it, and hands it on.
    #[cached(
        name = "delegation.decide",
        ttl = "1h",
        context,
        key(self.deliberation.realm(), request.symbol, request.argument_types),
        tags("capability:{request.symbol}")
    )]
    async fn decide(&self, request: &Request) -> Result<Decision, DecideError> {
        self.deliberation.decide(self.judge(request).await?, request).await
    }

    fn deliberation(&self) -> &Deliberation {
        &self.deliberation
    }

    fn call_context(&self, request: &Request) -> CallContext {
        let verdict = larder::ambient::with(request.permissions, || self.verdict(request));
        verdict.call_context()
    }

    fn name(&self) -> &'static str {
        "delegation.decide"
    }

    fn memory(&self) -> &'static str {
        "this process alone"
    }
}

impl LocalEngine {
    pub(crate) fn new(deliberation: Deliberation) -> Self {
        Self { deliberation }
    }

    /// Finds how far the caller's permissions reach; survives changes that are not the policy's.
    #[cached(
        name = "delegation.judge",
        ttl = "1h",
        context,
        key(self.deliberation.realm(), request.symbol, request.argument_types),
        tags("policy"),
        handle = verdict
    )]
    async fn judge(&self, request: &Request) -> Result<Verdict, DecideError> {
        self.deliberation.judge(request.permissions).await
    }
}
