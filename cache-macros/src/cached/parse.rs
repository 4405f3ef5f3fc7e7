//! The options of the attribute, each read into what it says. Nothing here knows the function.

use super::files::{Files, files};
use super::freshness::{Refresh, grace, jitter, limit, refresh, stale};
use super::stored::{codec, compress, write};
use super::tier::{Tier, Ttl, tier, ttl};
use super::value::{
    batch, capacity, context, handle, key, name, negative, path, runtime, scope, skip, version,
    wait, when,
};
use crate::diagnostics::Errors;
use crate::options::{self, Names};
use crate::paths::root;
use crate::template::{Template, tags};
use proc_macro2::{Ident, TokenStream};
use std::time::Duration;
use syn::ext::IdentExt;
use syn::{Expr, ExprPath, LitStr, Path};

/// An option's value, with the name it was given by.
pub(crate) struct Given<T> {
    pub(crate) name: Ident,
    pub(crate) value: T,
}

macro_rules! options {
    ($($field:ident: $kind:ty = $name:literal, $read:path;)*) => {
        /// Everything the attribute says.
        #[derive(Default)]
        pub(crate) struct Options {
            $(pub(crate) $field: Option<Given<$kind>>,)*
            /// The names of all that is there.
            pub(crate) given: Vec<Ident>,
            /// Names of what is missing because it was faulty.
            missing: Vec<String>,
        }

        const NAMES: Names<'_> = Names {
            what: "option",
            example: "`ttl = \"1h\"`",
            known: &[$($name,)*],
        };

        impl Options {
            pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
                let read = options::read(tokens, &NAMES, errors);
                let mut all = Self { missing: read.meant, ..Self::default() };
                for option in read.options {
                    all.given.push(option.name.clone());
                    match option.name.unraw().to_string().as_str() {
                        $($name => match $read(&option) {
                            Ok(value) => all.$field = Some(Given { name: option.name, value }),
                            Err(error) => {
                                errors.combine(error);
                                all.missing.push($name.to_owned());
                            }
                        },)*
                        other => unreachable!("`{other}` is none of the names that are read"),
                    }
                }
                all
            }
        }
    };
}

impl Options {
    /// Whether an option is missing because it was faulty: what it would have said is not for
    /// anyone to miss.
    pub(crate) fn is_faulty(&self, name: &str) -> bool {
        self.missing.iter().any(|missing| missing == name)
    }
}

options! {
    tiers: Vec<Tier> = "tier", tier;
    ttl: Ttl = "ttl", ttl;
    capacity: Expr = "capacity", capacity;
    weigh: ExprPath = "weigh", path;
    tags: Vec<Template> = "tags", tags;
    key: Key = "key", key;
    skip: Vec<Ident> = "skip", skip;
    context: () = "context", context;
    scope: Scope = "scope", scope;
    version: Version = "version", version;
    called: LitStr = "name", name;
    when: Expr = "when", when;
    stale: Duration = "stale", stale;
    grace: Duration = "grace", grace;
    refresh: Refresh = "refresh", refresh;
    timeout: Duration = "timeout", limit;
    deadline: Duration = "deadline", limit;
    fallback: ExprPath = "fallback", path;
    jitter: u32 = "jitter", jitter;
    negative: Duration = "negative", negative;
    ttl_for: ExprPath = "ttl_for", path;
    cache_if: ExprPath = "cache_if", path;
    tags_for: ExprPath = "tags_for", path;
    batch: Ident = "batch", batch;
    batch_of: ExprPath = "batch_of", path;
    wait: Duration = "wait", wait;
    warm: ExprPath = "warm", path;
    files: Files = "files", files;
    codec: &'static str = "codec", codec;
    compress: &'static str = "compress", compress;
    write: &'static str = "write", write;
    handle: Ident = "handle", handle;
    runtime: Expr = "runtime", runtime;
    root: Path = "crate", root;
}

/// What makes the key.
pub(crate) enum Key {
    Readable(Template),
    Exprs(Vec<Expr>),
}

pub(crate) enum Version {
    Number(u32),
    /// Another one with every change of the function.
    Auto,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Global,
    Session,
    Request,
}
