//! What an engine does, however its decisions are memoized.

use crate::deliberation::Deliberation;
use crate::policy::PolicyEvent;
use crate::request::{DecideError, Decision, Request};
use async_trait::async_trait;
use larder::CallContext;
use std::io;

/// Says where calls are to run.
#[async_trait]
pub(crate) trait DelegationEngine: Send + Sync {
    /// Decides about one call, with the permissions in the ambient context.
    async fn decide(&self, request: &Request) -> Result<Decision, DecideError>;

    /// What is done where nothing is remembered.
    fn deliberation(&self) -> &Deliberation;

    /// What identifies the verdict about a request, for logs and metrics.
    fn call_context(&self, request: &Request) -> CallContext;

    /// What `larder::stats` calls the decisions.
    fn name(&self) -> &'static str;

    /// Where decisions are remembered.
    fn memory(&self) -> &'static str;
}

/// Who has been told of an event.
#[derive(Debug)]
pub(crate) enum Told {
    Everybody,
    /// This process alone; the others will be.
    Oneself(larder::Error),
}

/// Asks an engine on behalf of the caller that the request names.
///
/// The one place that sets the ambient context, so that the permissions a decision is kept under
/// are always those it was made with.
pub(crate) async fn delegate(
    engine: &dyn DelegationEngine,
    request: &Request,
) -> Result<Decision, DecideError> {
    larder::ambient::scope(request.permissions, engine.decide(request)).await
}

/// Takes an event into account, then forgets the decisions that it makes wrong.
///
/// In this order: the other way round, a decision made in between would be kept although it knows
/// nothing of the event.
///
/// # Errors
///
/// If the event could not be taken into account.
pub(crate) async fn apply(engine: &dyn DelegationEngine, event: &PolicyEvent) -> io::Result<Told> {
    engine.deliberation().take_into_account(event)?;
    let told = larder::invalidate_tag(event.tag()).await;
    Ok(told.map_or_else(Told::Oneself, |()| Told::Everybody))
}
