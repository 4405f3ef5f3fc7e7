//! What is asked of the engine, and what it answers.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a caller may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Permissions {
    pub(crate) local_models: bool,
    pub(crate) remote_models: bool,
}

impl Permissions {
    pub(crate) const NONE: Self = Self { local_models: false, remote_models: false };
    pub(crate) const LOCAL: Self = Self { local_models: true, remote_models: false };
    pub(crate) const ALL: Self = Self { local_models: true, remote_models: true };
}

/// Stands for the types of a call's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct TypeFingerprint(pub(crate) u64);

/// A call to be delegated.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) symbol: String,
    pub(crate) argument_types: TypeFingerprint,
    pub(crate) permissions: Permissions,
}

/// Where a call is to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ExecTarget {
    LocalPure,
    LocalModel(String),
    RemoteModel(String),
}

/// The revisions a decision was based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Basis {
    pub(crate) policy: u64,
    /// Of the one symbol that the decision is about.
    pub(crate) capability: u64,
}

impl Basis {
    /// Whether this is based on all that `other` is.
    pub(crate) fn covers(self, other: Self) -> bool {
        self.policy >= other.policy && self.capability >= other.capability
    }
}

/// An answer of the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Decision {
    pub(crate) target: ExecTarget,
    pub(crate) basis: Basis,
    /// Its place among all decisions of the engine.
    pub(crate) serial: u64,
}

/// Why there is no decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum DecideError {
    UnknownSymbol(String),
    /// What decisions are made from.
    Unreadable(String),
}

impl fmt::Display for DecideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSymbol(symbol) => write!(f, "nothing is known of `{symbol}`"),
            Self::Unreadable(error) => write!(f, "the policy can't be read: {error}"),
        }
    }
}

impl std::error::Error for DecideError {}
