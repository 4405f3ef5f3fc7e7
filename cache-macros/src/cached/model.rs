//! What is generated from: only what makes sense can be put into one.

use super::batch::Batch;
use super::freshness::Freshness;
use super::outlive::Outlive;
use super::parse::Scope;
use super::tier::Tier;
use crate::function::Function;
use crate::paths::Paths;
use crate::template::Template;
use proc_macro2::Ident;
use std::time::Duration;
use syn::{Expr, ExprPath, LitStr, Type};

pub(crate) struct Model {
    pub(crate) paths: Paths,
    pub(crate) function: Function,
    pub(crate) out: Type,
    pub(crate) site: Site,
    pub(crate) key: Key,
    pub(crate) tags: Vec<Template>,
    /// What names files that an entry depends on.
    pub(crate) files: Vec<Expr>,
    pub(crate) when: Option<Expr>,
    pub(crate) runtime: Option<Expr>,
    pub(crate) judge: Judge,
    /// What yields the arguments that it is warmed with.
    pub(crate) warm: Option<ExprPath>,
    /// What is called where there is no more time.
    pub(crate) fallback: Option<ExprPath>,
    /// How arguments outlive the call, where computations may.
    pub(crate) outlive: Option<Outlive>,
    /// What of it is a batch; the function above is that of one element, then.
    pub(crate) batch: Option<Batch>,
    pub(crate) handle: Handle,
}

/// What can be told of the function without its types.
pub(crate) struct Site {
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<Version>,
    pub(crate) tiers: Option<Vec<Tier>>,
    pub(crate) ttl: Option<Duration>,
    /// What is said of the tiers beyond L1, where there are any.
    pub(crate) stored: Option<Stored>,
    pub(crate) freshness: Freshness,
    pub(crate) negative: Option<Duration>,
    pub(crate) wait: Option<Duration>,
    pub(crate) capacity: Option<Expr>,
    pub(crate) context: bool,
    pub(crate) scope: Scope,
}

impl Model {
    /// The function as it is written.
    pub(crate) fn written(&self) -> &Function {
        self.batch.as_ref().map_or(&self.function, |batch| &batch.function)
    }
}

impl Site {
    /// Whether values are kept on other machines alone.
    pub(crate) fn is_far(&self) -> bool {
        matches!(self.tiers.as_deref(), Some([Tier::L3]))
    }
}

pub(crate) enum Version {
    Number(u32),
    /// A fingerprint of the function's tokens.
    Tokens(u64),
}

/// How values are kept as bytes.
pub(crate) struct Stored {
    pub(crate) codec: Option<&'static str>,
    pub(crate) compress: Option<&'static str>,
    pub(crate) write_through: bool,
    pub(crate) ttl: Option<Duration>,
    /// On the disk, if there is a tier beyond.
    pub(crate) ttl_disk: Option<Duration>,
}

/// What a call's key is made of.
pub(crate) struct Key {
    pub(crate) parts: Vec<Expr>,
    /// The arguments that the parts mention, by place.
    pub(crate) arguments: Vec<usize>,
    pub(crate) readable: Option<Template>,
}

/// Functions that are asked about a computed value.
#[derive(Default)]
pub(crate) struct Judge {
    pub(crate) weigh: Option<ExprPath>,
    pub(crate) ttl_for: Option<ExprPath>,
    pub(crate) cache_if: Option<ExprPath>,
    pub(crate) tags_for: Option<ExprPath>,
}

/// Where the companion goes.
pub(crate) enum Handle {
    None,
    /// A type of this name beside the function.
    Type(Ident),
    /// A method of this name beside the method.
    Method(Ident),
}
