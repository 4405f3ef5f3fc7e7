//! The engine, and how its decisions are memoized.

use crate::core_time;
use crate::policy::{PolicyBook, PolicyEvent, Reach, Verdict};
use crate::request::{Basis, DecideError, Decision, ExecTarget, Request};
use async_trait::async_trait;
use larder::{CallContext, cached};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// What `larder::stats` calls the decisions.
pub(crate) const DECIDE: &str = "delegation.decide";

/// Says where calls are to run.
#[async_trait]
pub(crate) trait DelegationEngine: Send + Sync {
    /// Decides about one call, with the permissions in the ambient context.
    async fn decide(&self, request: &Request) -> Result<Decision, DecideError>;

    /// How many decisions have been made.
    fn decisions(&self) -> u64;
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

/// Decides by a book of policies and capabilities.
pub(crate) struct PolicyEngine {
    /// Tells the decisions of two engines apart.
    realm: String,
    book: RwLock<PolicyBook>,
    decisions: AtomicU64,
}

#[async_trait]
impl DelegationEngine for PolicyEngine {
    // No tag `policy`: the verdict that the decision is made from has it, and hands it on.
    #[cached(
        name = "delegation.decide",
        ttl = "1h",
        context,
        key(self.realm, request.symbol, request.argument_types),
        tags("capability:{request.symbol}")
    )]
    async fn decide(&self, request: &Request) -> Result<Decision, DecideError> {
        let verdict = self.judge(request).await;
        core_time::spent_in(async {
            let Some(capability) = self.book().capability(&request.symbol) else {
                return Err(DecideError { unknown_symbol: request.symbol.clone() });
            };
            weigh_alternatives().await;
            let target = match verdict.reach {
                Reach::Pure => ExecTarget::LocalPure,
                Reach::Local { model } if capability == 0 => ExecTarget::LocalModel(model),
                Reach::Local { .. } => {
                    ExecTarget::LocalModel(format!("{}-{capability}", request.symbol))
                }
                Reach::Remote { model } => ExecTarget::RemoteModel(model),
            };
            let serial = self.decisions.fetch_add(1, Relaxed) + 1;
            Ok(Decision { target, basis: Basis { policy: verdict.policy, capability }, serial })
        })
        .await
    }

    fn decisions(&self) -> u64 {
        self.decisions.load(Relaxed)
    }
}

impl PolicyEngine {
    pub(crate) fn new(realm: &str, symbols: impl IntoIterator<Item = String>) -> Self {
        Self {
            realm: realm.to_owned(),
            book: RwLock::new(PolicyBook::new(symbols)),
            decisions: AtomicU64::new(0),
        }
    }

    /// Finds how far the caller's permissions reach; survives changes that are not the policy's.
    #[cached(
        name = "delegation.judge",
        ttl = "1h",
        context,
        key(self.realm, request.symbol, request.argument_types),
        tags("policy"),
        handle = verdict
    )]
    async fn judge(&self, request: &Request) -> Verdict {
        core_time::spent_in(async {
            let verdict = self.book().judge(request.permissions);
            weigh_alternatives().await;
            verdict
        })
        .await
    }

    /// What identifies the verdict about a request, for logs and metrics.
    pub(crate) fn call_context(&self, request: &Request) -> CallContext {
        let verdict = larder::ambient::with(request.permissions, || self.verdict(request));
        verdict.call_context()
    }

    /// Takes an event into account, then forgets the decisions that it makes wrong.
    ///
    /// In this order: the other way round, a decision made in between would be kept although it
    /// knows nothing of the event.
    pub(crate) async fn apply(&self, event: &PolicyEvent) -> Result<(), larder::Error> {
        self.book.write().unwrap_or_else(PoisonError::into_inner).apply(event);
        larder::invalidate_tag(event.tag()).await
    }

    /// What a decision about a symbol would be based on now.
    pub(crate) fn basis(&self, symbol: &str) -> Basis {
        self.book().basis(symbol)
    }

    fn book(&self) -> RwLockReadGuard<'_, PolicyBook> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands for the engine's own work: some time on the processor, then room for other tasks.
async fn weigh_alternatives() {
    let mut state = 1_u64;
    for round in 0..20_000 {
        state = black_box(state.rotate_left(5) ^ round).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    black_box(state);
    tokio::task::yield_now().await;
}
