//! What the value of each option may be, and what is said of any other. Tiers, what goes beyond L1,
//! and files have files of their own.

use super::parse::{Key, Scope, Version};
use crate::diagnostics::unknown;
use crate::duration;
use crate::options::{Value, Written};
use crate::template::Template;
use proc_macro2::Ident;
use std::time::Duration;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, ExprPath, ExprUnary, Lit, LitStr, UnOp};

pub(super) fn capacity(option: &Written) -> syn::Result<Expr> {
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

pub(super) fn batch(option: &Written) -> syn::Result<Ident> {
    option.word("`batch = ids`, with the name of the argument that holds the ids")
}

pub(super) fn path(option: &Written) -> syn::Result<ExprPath> {
    let name = option.name.unraw();
    let example = format!("`{name} = path`, with the path of a function");
    match option.expr(&example)? {
        Expr::Path(path) => Ok(path.clone()),
        other => Err(option.fault_at(other, &example)),
    }
}

pub(super) fn key(option: &Written) -> syn::Result<Key> {
    let example = "`key = \"user:{id}\"` or `key(id, self.tenant)`";
    if matches!(option.value, Value::Listed(_)) {
        return option.exprs(example).map(Key::Exprs);
    }
    let literal = option.string(example)?;
    Template::parse(literal, &literal.value()).map(Key::Readable)
}

pub(super) fn skip(option: &Written) -> syn::Result<Vec<Ident>> {
    option.words("`skip(db)`, with the names of arguments")
}

pub(super) fn context(option: &Written) -> syn::Result<()> {
    match &option.value {
        Value::Flag => Ok(()),
        _ => Err(option.fault("`context`, without a value")),
    }
}

pub(super) fn scope(option: &Written) -> syn::Result<Scope> {
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

pub(super) fn version(option: &Written) -> syn::Result<Version> {
    let example = "`version = 2`, with a number from 1 to 4294967295, or `version = auto`";
    match option.expr(example)? {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => match number.base10_parse() {
            Ok(version) if version > 0 => Ok(Version::Number(version)),
            _ => Err(option.fault_at(number, example)),
        },
        Expr::Path(path) if path.path.is_ident("auto") => Ok(Version::Auto),
        other => Err(option.fault_at(other, example)),
    }
}

pub(super) fn name(option: &Written) -> syn::Result<LitStr> {
    let literal = option.string("`name = \"decide\"`")?;
    if literal.value().trim().is_empty() {
        return Err(option.fault_at(literal, "`name = \"decide\"`, with a name that is not empty"));
    }
    Ok(literal.clone())
}

pub(super) fn when(option: &Written) -> syn::Result<Expr> {
    option.expr("`when = !id.is_empty()`").cloned()
}

pub(super) fn negative(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`negative = \"5s\"`")?)
}

pub(super) fn wait(option: &Written) -> syn::Result<Duration> {
    duration::read(option.string("`wait = \"30s\"`")?)
}

pub(super) fn handle(option: &Written) -> syn::Result<Ident> {
    option.word("`handle = name` or `handle = none`")
}

pub(super) fn runtime(option: &Written) -> syn::Result<Expr> {
    option.expr("`runtime = self.runtime`").cloned()
}
