//! Which events everybody may rely on.

use crate::policy::PolicyEvent;
use crate::request::Basis;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The revisions that no decision asked for from now on may be older than.
#[derive(Debug)]
pub(crate) struct Bulletin {
    policy: AtomicU64,
    capabilities: HashMap<String, AtomicU64>,
}

impl Bulletin {
    pub(crate) fn new(symbols: impl IntoIterator<Item = String>) -> Self {
        let capabilities = symbols.into_iter().map(|symbol| (symbol, AtomicU64::new(0)));
        Self { policy: AtomicU64::new(1), capabilities: capabilities.collect() }
    }

    /// Makes an event known whose invalidation has returned.
    pub(crate) fn publish(&self, event: &PolicyEvent) {
        let revision = match event {
            PolicyEvent::PolicyUpdated => Some(&self.policy),
            PolicyEvent::CapabilityAdded { symbol } => self.capabilities.get(symbol),
        };
        if let Some(revision) = revision {
            // Release: whoever reads this revision in `floor` starts after the invalidation.
            revision.fetch_add(1, Ordering::Release);
        }
    }

    /// What a decision about a symbol has to be based on, at the least.
    pub(crate) fn floor(&self, symbol: &str) -> Basis {
        // Acquire: pairs with the Release in `publish`.
        let read = |revision: &AtomicU64| revision.load(Ordering::Acquire);
        Basis {
            policy: read(&self.policy),
            capability: self.capabilities.get(symbol).map(read).unwrap_or_default(),
        }
    }
}
