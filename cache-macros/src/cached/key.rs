//! Which expressions make a call's key.

use super::model::Key;
use super::parse::{self, Given};
use super::{borrow, mention};
use crate::diagnostics::Errors;
use crate::function::{Argument, Function};
use crate::placeholder::{self, choice};
use crate::template::Template;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Expr, Index, Type, parse_quote};

/// Finds the key, or reports why there is none.
pub(crate) fn key(
    function: &Function,
    key: Option<Given<parse::Key>>,
    skip: Option<&Given<Vec<Ident>>>,
    errors: &mut Errors,
) -> Option<Key> {
    let skipped = skip.map(|skip| &skip.value[..]).unwrap_or_default();
    let known = check_skipped(function, skipped, errors);
    let skips_self = skipped.iter().any(|name| name == "self");
    if let (Some(_), Some(skip)) = (&key, skip)
        && !(skips_self && skipped.len() == 1)
    {
        errors.add(
            &skip.name,
            "`skip` beside `key` says the same thing twice: what `key` does not name is not part \
             of it; only `skip(self)` may stand beside it",
        );
        return None;
    }
    let key = match key.map(|key| key.value) {
        Some(parse::Key::Readable(template)) => readable(function, template, errors)?,
        Some(parse::Key::Exprs(exprs)) => from_exprs(function, exprs, errors)?,
        None => from_arguments(function, skipped, errors)?,
    };
    (known & check_receiver(function, &key, skips_self.then_some(skipped), errors)).then_some(key)
}

fn check_skipped(function: &Function, skipped: &[Ident], errors: &mut Errors) -> bool {
    let mut known = true;
    for (at, name) in skipped.iter().enumerate() {
        let text = name.unraw().to_string();
        let exists = if text == "self" { function.has_receiver() } else { function.has(&text) };
        if !exists {
            errors.add(name, format!("`skip` names no argument `{text}`; {}", choice(function)));
            known = false;
        } else if skipped[..at].contains(name) {
            errors.add(name, format!("`{text}` is skipped twice; leave one of them out"));
            known = false;
        }
    }
    known
}

/// Whether it is said, and said once, what `self` means.
fn check_receiver(
    function: &Function,
    key: &Key,
    skipped: Option<&[Ident]>,
    errors: &mut Errors,
) -> bool {
    let Some(receiver) = function.signature.receiver() else { return true };
    match (mention::receiver(&key.parts), skipped) {
        (true, None) | (false, Some(_)) => true,
        (false, None) => {
            errors.add(
                receiver,
                "`#[cached]` on a method needs to know what `self` means for the key; \
                 write `key(self.field, ..)` or `skip(self)`",
            );
            false
        }
        (true, Some(skipped)) => {
            let at = skipped.iter().find(|name| *name == "self");
            errors.add(at, "`self` is part of the key and skipped; take one of the two away");
            false
        }
    }
}

fn readable(function: &Function, template: Template, errors: &mut Errors) -> Option<Key> {
    if template.values().next().is_none() {
        names_nothing(&template.literal, errors);
        return None;
    }
    if !placeholder::check(function, &template, "key", errors) {
        return None;
    }
    let parts: Vec<Expr> = template.values().map(|value| value.expr.clone()).collect();
    let arguments = mention::arguments(function, &parts);
    Some(Key { parts, arguments, readable: Some(template) })
}

fn from_exprs(function: &Function, parts: Vec<Expr>, errors: &mut Errors) -> Option<Key> {
    let arguments = mention::arguments(function, &parts);
    if arguments.is_empty() && !mention::receiver(&parts) {
        names_nothing(quote!(#(#parts),*), errors);
        return None;
    }
    Some(Key { parts, arguments, readable: None })
}

fn names_nothing(key: impl ToTokens, errors: &mut Errors) {
    errors.add(
        key,
        "this key names no argument, so all calls would share one entry; \
         name what tells them apart, such as `user:{id}`",
    );
}

/// Every argument that is not skipped.
fn from_arguments(function: &Function, skipped: &[Ident], errors: &mut Errors) -> Option<Key> {
    let mut key = Key { parts: Vec::new(), arguments: Vec::new(), readable: None };
    let mut sound = true;
    for (at, argument) in function.arguments.iter().enumerate() {
        let is_skipped = |name: &&Ident| skipped.iter().any(|it| mention::same(it, name));
        let names: Vec<_> = argument.names.iter().filter(|name| !is_skipped(name)).collect();
        let Some(name) = names.first() else { continue };
        if let Some((at, what)) = keyless(argument) {
            let way_out = format!(
                "say what it means for the key with `key(..)`, or leave it out with `skip({})`",
                name.unraw()
            );
            errors.add(at, format!("{what}; {way_out}"));
            sound = false;
            continue;
        }
        key.arguments.push(at);
        for name in names {
            let kind = argument.plain.then(|| argument.kind());
            take_apart(parse_quote!(#name), kind, &mut key.parts);
        }
    }
    sound.then_some(key)
}

/// What of an argument can't be part of a key, whatever the types turn out to be.
fn keyless(argument: &Argument) -> Option<(TokenStream, &'static str)> {
    let kind = argument.kind();
    let found = |what| Some((kind.to_token_stream(), what));
    match bare(kind) {
        Type::ImplTrait(_) => return found("an `impl Trait` argument can't be part of a key"),
        Type::TraitObject(_) => return found("a `dyn` argument can't be part of a key"),
        _ => {}
    }
    // Of other patterns nobody can tell what they bind.
    let borrow = argument.plain.then(|| borrow::beyond_owning(kind)).flatten()?;
    Some((borrow, "a borrow inside an argument can't be kept in a key"))
}

/// A type without the references around it.
fn bare(kind: &Type) -> &Type {
    match kind {
        Type::Reference(reference) => bare(&reference.elem),
        Type::Paren(paren) => bare(&paren.elem),
        Type::Group(group) => bare(&group.elem),
        other => other,
    }
}

/// A tuple written as such is as many parts as it has fields, so that references in it are borrowed
/// like any others.
fn take_apart(expr: Expr, kind: Option<&Type>, parts: &mut Vec<Expr>) {
    match kind {
        Some(Type::Tuple(tuple)) if !tuple.elems.is_empty() => {
            for (at, kind) in tuple.elems.iter().enumerate() {
                let field = Index::from(at);
                take_apart(parse_quote!(#expr.#field), Some(kind), parts);
            }
        }
        Some(Type::Paren(paren)) => take_apart(expr, Some(&paren.elem), parts),
        Some(Type::Group(group)) => take_apart(expr, Some(&group.elem), parts),
        _ => parts.push(expr),
    }
}
