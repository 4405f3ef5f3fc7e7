//! The options of the attribute, each read into what it says. Nothing here knows the function.

use crate::diagnostics::{Errors, did_you_mean, listed};
use crate::duration;
use crate::options::{self, Value, Written};
use crate::template::Template;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use std::time::Duration;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, ExprPath, Lit, LitStr, Path};

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
        }

        const NAMES: &[&str] = &[$($name,)*];

        impl Options {
            pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
                let known: Vec<_> = NAMES.iter().chain(LATER).copied().collect();
                let mut all = Self::default();
                for option in options::read(tokens, &known, errors) {
                    match option.name.unraw().to_string().as_str() {
                        $($name => {
                            all.$field = errors
                                .take($read(&option))
                                .map(|value| Given { name: option.name, value });
                        })*
                        later => errors.add(&option.name, format!(
                            "`{later}` is reserved and not there yet; leave it out"
                        )),
                    }
                }
                all
            }
        }
    };
}

options! {
    tier: () = "tier", tier;
    ttl: Duration = "ttl", ttl;
    capacity: Expr = "capacity", capacity;
    weigh: ExprPath = "weigh", path;
    tags: Vec<Template> = "tags", tags;
    key: Key = "key", key;
    skip: Vec<Ident> = "skip", skip;
    context: () = "context", flag;
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

const TIERS: [&str; 3] = ["l1", "l2", "l3"];

fn tier(option: &Written) -> syn::Result<()> {
    let example = "`tier = \"l1\"` or `tier(l1)`";
    let words: Vec<(TokenStream, String)> = match &option.value {
        Value::Listed(tokens) => options::exprs(tokens)?
            .into_iter()
            .map(|expr| (expr.to_token_stream(), expr.to_token_stream().to_string()))
            .map(|(at, word)| (at, word.trim_matches('"').to_owned()))
            .collect(),
        _ => options::strings(option, example)?
            .into_iter()
            .map(|(literal, word)| (literal.to_token_stream(), word))
            .collect(),
    };
    let mut errors = Errors::default();
    let mut seen: Vec<&str> = Vec::new();
    if words.is_empty() {
        errors.combine(option.fault(example));
    }
    for (at, word) in &words {
        let Some(rank) = TIERS.iter().position(|tier| tier == word) else {
            let guess = did_you_mean(word, TIERS);
            errors.add(at, format!("unknown tier `{word}`{guess}; tiers are {}", listed(TIERS)));
            continue;
        };
        if seen.contains(&word.as_str()) {
            errors.add(at, format!("tier `{word}` is named twice; leave one of them out"));
        } else if seen.iter().any(|other| TIERS.iter().position(|tier| tier == other) > Some(rank))
        {
            errors.add(at, "tiers are named from the nearest to the farthest: `l1`, `l2`, `l3`");
        }
        seen.push(word);
        let (feature, enabled) = match rank {
            0 => continue,
            1 => ("disk", cfg!(feature = "disk")),
            _ => ("redis", cfg!(feature = "redis")),
        };
        if enabled {
            errors.add(at, format!("tier `{word}` is not there yet; use `l1`"));
        } else {
            errors.add(
                at,
                format!(
                    "tier `{word}` needs the feature `{feature}` of larder; \
                 write `larder = {{ .., features = [\"{feature}\"] }}` in Cargo.toml"
                ),
            );
        }
    }
    errors.into_result()
}

fn ttl(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`ttl = \"1h\"`")?)
}

fn negative(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`negative = \"5s\"`")?)
}

fn wait(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`wait = \"30s\"`")?)
}

fn capacity(option: &Written) -> syn::Result<Expr> {
    let expr = option.expr("`capacity = 10_000`")?;
    if let Expr::Lit(ExprLit { lit, .. }) = expr {
        let Lit::Int(number) = lit else {
            return Err(
                option.fault_at(lit, "`capacity = 10_000`, in entries, or in weight with `weigh`")
            );
        };
        if number.base10_parse::<u64>()? == 0 {
            return Err(syn::Error::new_spanned(
                number,
                "a capacity of 0 keeps nothing; write at least 1, or leave the attribute out",
            ));
        }
    }
    Ok(expr.clone())
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
    let written = options::strings(option, "`tags(\"user:{id}\", \"policy\")`")?;
    let mut errors = Errors::default();
    let mut templates = Vec::new();
    for (literal, text) in &written {
        if text.is_empty() {
            errors.add(literal, "an empty tag names nothing; write one such as `user:{id}`");
        } else {
            templates.extend(errors.take(Template::parse(literal, text)));
        }
    }
    if written.is_empty() {
        errors.combine(option.fault("`tags(\"user:{id}\", \"policy\")`"));
    }
    errors.into_result().map(|()| templates)
}

fn key(option: &Written) -> syn::Result<Key> {
    let example = "`key = \"user:{id}\"` or `key(id, self.tenant)`";
    match &option.value {
        Value::Listed(tokens) => {
            let exprs = options::exprs(tokens)?;
            if exprs.is_empty() {
                return Err(option.fault(example));
            }
            Ok(Key::Exprs(exprs))
        }
        _ => {
            let literal = option.string(example)?;
            Ok(Key::Readable(Template::parse(literal, &literal.value())?))
        }
    }
}

fn skip(option: &Written) -> syn::Result<Vec<Ident>> {
    use syn::parse::Parser;
    let example = "`skip(db)`, with the names of arguments";
    let Value::Listed(tokens) = &option.value else { return Err(option.fault(example)) };
    let parser = syn::punctuated::Punctuated::<Ident, syn::Token![,]>::parse_terminated_with;
    let names = |input: syn::parse::ParseStream<'_>| parser(input, Ident::parse_any);
    let names: Vec<_> = names.parse2(tokens.clone())?.into_iter().collect();
    if names.is_empty() { Err(option.fault(example)) } else { Ok(names) }
}

fn flag(option: &Written) -> syn::Result<()> {
    match &option.value {
        Value::Flag => Ok(()),
        _ => Err(option.fault("`context`, without a value")),
    }
}

fn scope(option: &Written) -> syn::Result<Scope> {
    let known = ["global", "session", "request"];
    let literal = option.string("`scope = \"session\"`")?;
    match literal.value().as_str() {
        "global" => Ok(Scope::Global),
        "session" => Ok(Scope::Session),
        "request" => Ok(Scope::Request),
        other => Err(syn::Error::new_spanned(
            literal,
            format!(
                "unknown scope `{other}`{}; scopes are {}",
                did_you_mean(other, known),
                listed(known)
            ),
        )),
    }
}

fn version(option: &Written) -> syn::Result<u32> {
    let expr = option.expr("`version = 2`")?;
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse(),
        Expr::Path(path) if path.path.is_ident("auto") => Err(syn::Error::new_spanned(
            path,
            "`version = auto` is reserved and not there yet; write a number",
        )),
        other => Err(option.fault_at(other, "`version = 2`")),
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

fn handle(option: &Written) -> syn::Result<Ident> {
    option.word("`handle = name` or `handle = none`")
}

fn runtime(option: &Written) -> syn::Result<Expr> {
    option.expr("`runtime = self.runtime`").cloned()
}

fn root(option: &Written) -> syn::Result<Path> {
    let example = "`crate = path::to::larder`";
    match option.expr(example)? {
        Expr::Path(path) => Ok(path.path.clone()),
        other => Err(option.fault_at(other, example)),
    }
}
