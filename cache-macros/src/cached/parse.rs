//! The options of the attribute, each read into what it says. Nothing here knows the function.

use super::tier::{tier, ttl};
use crate::diagnostics::{Errors, unknown};
use crate::duration;
use crate::options::{self, Names, Value, Written};
use crate::template::Template;
use proc_macro2::{Ident, TokenStream};
use std::time::Duration;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, ExprPath, ExprUnary, Lit, LitStr, Path, UnOp};

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
            /// Names of what is missing because it was faulty.
            missing: Vec<String>,
        }

        const NAMES: Names<'_> = Names {
            what: "option",
            example: "`ttl = \"1h\"`",
            known: &[$($name,)*],
            reserved: LATER,
        };

        impl Options {
            pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
                let read = options::read(tokens, &NAMES, errors);
                let mut all = Self { missing: read.meant, ..Self::default() };
                for option in read.options {
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
    tier: () = "tier", tier;
    ttl: Duration = "ttl", ttl;
    capacity: Expr = "capacity", capacity;
    weigh: ExprPath = "weigh", path;
    tags: Vec<Template> = "tags", tags;
    key: Key = "key", key;
    skip: Vec<Ident> = "skip", skip;
    context: () = "context", context;
    scope: Scope = "scope", scope;
    version: u32 = "version", version;
    called: LitStr = "name", name;
    when: Expr = "when", when;
    negative: Duration = "negative", negative;
    ttl_for: ExprPath = "ttl_for", path;
    cache_if: ExprPath = "cache_if", path;
    tags_for: ExprPath = "tags_for", path;
    wait: Duration = "wait", wait;
    handle: Ident = "handle", handle;
    runtime: Expr = "runtime", runtime;
    root: Path = "crate", root;
}

/// Words that mean nothing yet.
const LATER: &[&str] = &[
    "stale", "grace", "refresh", "jitter", "timeout", "deadline", "fallback", "files", "batch",
    "batch_of", "codec", "compress", "write",
];

/// What makes the key.
pub(crate) enum Key {
    Readable(Template),
    Exprs(Vec<Expr>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Global,
    Session,
    Request,
}

fn capacity(option: &Written) -> syn::Result<Expr> {
    let example = "`capacity = 10_000`, in entries, or in weight with `weigh`";
    let expr = option.expr(example)?;
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse::<u64>() {
            Ok(0) => Err(syn::Error::new_spanned(
                number,
                "a capacity of 0 keeps nothing; write at least 1, or leave the attribute out",
            )),
            Ok(_) => Ok(expr.clone()),
            Err(_) => Err(option.fault_at(number, example)),
        },
        Expr::Lit(_) | Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) | Expr::Closure(_) => {
            Err(option.fault_at(expr, example))
        }
        _ => Ok(expr.clone()),
    }
}

fn path(option: &Written) -> syn::Result<ExprPath> {
    let name = option.name.unraw();
    let example = format!("`{name} = path`, with the path of a function");
    match option.expr(&example)? {
        Expr::Path(path) => Ok(path.clone()),
        other => Err(option.fault_at(other, &example)),
    }
}

fn tags(option: &Written) -> syn::Result<Vec<Template>> {
    let mut errors = Errors::default();
    let mut templates = Vec::new();
    let example = "`tags(\"user:{id}\", \"policy\")`";
    let written = option.strings(example)?;
    if written.is_empty() {
        return Err(option.fault(example));
    }
    for (literal, text) in &written {
        if text.trim().is_empty() {
            errors.add(literal, "an empty tag names nothing; write one such as `user:{id}`");
        } else {
            templates.extend(errors.take(Template::parse(literal, text)));
        }
    }
    errors.instead_of(templates)
}

fn key(option: &Written) -> syn::Result<Key> {
    let example = "`key = \"user:{id}\"` or `key(id, self.tenant)`";
    if matches!(option.value, Value::Listed(_)) {
        return option.exprs(example).map(Key::Exprs);
    }
    let literal = option.string(example)?;
    Template::parse(literal, &literal.value()).map(Key::Readable)
}

fn skip(option: &Written) -> syn::Result<Vec<Ident>> {
    option.words("`skip(db)`, with the names of arguments")
}

fn context(option: &Written) -> syn::Result<()> {
    match &option.value {
        Value::Flag => Ok(()),
        _ => Err(option.fault("`context`, without a value")),
    }
}

fn scope(option: &Written) -> syn::Result<Scope> {
    let literal = option.string("`scope = \"session\"`")?;
    match literal.value().as_str() {
        "global" => Ok(Scope::Global),
        "session" => Ok(Scope::Session),
        "request" => Ok(Scope::Request),
        other => {
            let message = unknown("scope", other, &["global", "session", "request"]);
            Err(syn::Error::new_spanned(literal, message))
        }
    }
}

fn version(option: &Written) -> syn::Result<u32> {
    let example = "`version = 2`, with a number from 1 to 4294967295";
    match option.expr(example)? {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse() {
            Ok(version) if version > 0 => Ok(version),
            _ => Err(option.fault_at(number, example)),
        },
        Expr::Path(path) if path.path.is_ident("auto") => {
            let message = "`version = auto` is reserved and not there yet; write a number";
            Err(syn::Error::new_spanned(path, message))
        }
        other => Err(option.fault_at(other, example)),
    }
}

fn name(option: &Written) -> syn::Result<LitStr> {
    let literal = option.string("`name = \"decide\"`")?;
    if literal.value().trim().is_empty() {
        return Err(option.fault_at(literal, "`name = \"decide\"`, with a name that is not empty"));
    }
    Ok(literal.clone())
}

fn when(option: &Written) -> syn::Result<Expr> {
    option.expr("`when = !id.is_empty()`").cloned()
}

fn negative(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`negative = \"5s\"`")?)
}

fn wait(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`wait = \"30s\"`")?)
}

fn handle(option: &Written) -> syn::Result<Ident> {
    option.word("`handle = name` or `handle = none`")
}

fn runtime(option: &Written) -> syn::Result<Expr> {
    option.expr("`runtime = self.runtime`").cloned()
}

fn root(option: &Written) -> syn::Result<Path> {
    let example = "`crate = path::to::larder`";
    match option.expr(example)? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(option.fault_at(other, example)),
    }
}
