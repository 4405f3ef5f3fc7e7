//! What decisions are made from, and the events that change it.

use crate::request::{Basis, Permissions};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

/// Something that makes earlier decisions wrong.
#[derive(Clone, Debug)]
pub(crate) enum PolicyEvent {
    /// Other models are to be used, whatever is called.
    PolicyUpdated,
    /// Calls of one symbol can be served by something new on this machine.
    CapabilityAdded { symbol: String },
}

impl PolicyEvent {
    /// The tag of every decision that the event makes wrong.
    pub(crate) fn tag(&self) -> String {
        match self {
            Self::PolicyUpdated => "policy".to_owned(),
            Self::CapabilityAdded { symbol } => format!("capability:{symbol}"),
        }
    }
}

/// As it is announced.
impl fmt::Display for PolicyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PolicyUpdated => f.write_str("policy-updated"),
            Self::CapabilityAdded { symbol } => write!(f, "capability-added {symbol}"),
        }
    }
}

impl FromStr for PolicyEvent {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["policy-updated"] => Ok(Self::PolicyUpdated),
            ["capability-added", symbol] => Ok(Self::CapabilityAdded { symbol: symbol.to_owned() }),
            _ => Err(()),
        }
    }
}

/// How far a caller's permissions reach under one revision of the policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) reach: Reach,
    pub(crate) policy: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Reach {
    Pure,
    Local { model: String },
    Remote { model: String },
}

/// The policy and the capabilities in force.
#[derive(Clone, Debug)]
pub(crate) struct PolicyBook {
    policy: u64,
    /// How many capabilities were added for each known symbol.
    capabilities: HashMap<String, u64>,
}

impl PolicyBook {
    pub(crate) fn new(symbols: impl IntoIterator<Item = String>) -> Self {
        Self { policy: 1, capabilities: symbols.into_iter().map(|symbol| (symbol, 0)).collect() }
    }

    pub(crate) fn apply(&mut self, event: &PolicyEvent) {
        match event {
            PolicyEvent::PolicyUpdated => self.policy += 1,
            PolicyEvent::CapabilityAdded { symbol } => {
                *self.capabilities.entry(symbol.clone()).or_default() += 1;
            }
        }
    }

    pub(crate) fn judge(&self, permissions: Permissions) -> Verdict {
        let policy = self.policy;
        let reach = if permissions.remote_models {
            Reach::Remote { model: format!("atlas-{policy}") }
        } else if permissions.local_models {
            Reach::Local { model: format!("pico-{policy}") }
        } else {
            Reach::Pure
        };
        Verdict { reach, policy }
    }

    /// How many capabilities were added for a symbol; nothing if it is unknown.
    pub(crate) fn capability(&self, symbol: &str) -> Option<u64> {
        self.capabilities.get(symbol).copied()
    }

    pub(crate) fn basis(&self, symbol: &str) -> Basis {
        Basis { policy: self.policy, capability: self.capability(symbol).unwrap_or_default() }
    }
}
