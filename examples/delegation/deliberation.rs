//! How a decision is come to: the part of the work that is worth remembering.

use crate::core_time;
use crate::policy::{PolicyEvent, Reach, Verdict};
use crate::records::Records;
use crate::request::{Basis, DecideError, Decision, ExecTarget, Permissions, Request};
use std::hint::black_box;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Decides by a book of policies and capabilities.
pub(crate) struct Deliberation {
    records: Records,
    decisions: AtomicU64,
}

impl Deliberation {
    pub(crate) fn new(records: Records) -> Self {
        Self { records, decisions: AtomicU64::new(0) }
    }

    /// Tells the decisions of engines with different books apart.
    pub(crate) fn realm(&self) -> &str {
        self.records.realm()
    }

    /// How many decisions have been made.
    pub(crate) fn decisions(&self) -> u64 {
        self.decisions.load(Relaxed)
    }

    /// How far a caller's permissions reach.
    pub(crate) async fn judge(&self, permissions: Permissions) -> Result<Verdict, DecideError> {
        core_time::spent_in(async {
            let verdict = self.records.look_up(|book| book.judge(permissions))?;
            weigh_alternatives().await;
            Ok(verdict)
        })
        .await
    }

    /// Where a call is to run, given a verdict about its caller.
    pub(crate) async fn decide(
        &self,
        verdict: Verdict,
        request: &Request,
    ) -> Result<Decision, DecideError> {
        core_time::spent_in(async {
            let known = self.records.look_up(|book| book.capability(&request.symbol))?;
            let Some(capability) = known else {
                return Err(DecideError::UnknownSymbol(request.symbol.clone()));
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

    pub(crate) fn take_into_account(&self, event: &PolicyEvent) -> io::Result<()> {
        self.records.add(event)
    }

    /// What a decision about a symbol would be based on now.
    pub(crate) fn basis(&self, symbol: &str) -> Result<Basis, DecideError> {
        self.records.look_up(|book| book.basis(symbol))
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
