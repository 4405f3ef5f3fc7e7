//! Which expressions make a call's key.

use super::ast::Function;
use super::model::Key;
use super::parse::{self, Given};
use crate::diagnostics::{Errors, listed};
use crate::template::Template;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, Index, Type, parse_quote};

/// Finds the key, or reports why there is none.
pub(crate) fn key(
    function: &Function,
    key: Option<Given<parse::Key>>,
    skip: Option<Given<Vec<Ident>>>,
    errors: &mut Errors,
) -> Option<Key> {
    let skipped = skip.as_ref().map(|skip| &skip.value[..]).unwrap_or_default();
    let known = check_skipped(function, skipped, errors);
    let skips_self = skipped.iter().any(|name| name == "self");
    if let (Some(key), Some(skip)) = (&key, &skip)
        && !(skips_self && skipped.len() == 1)
    {
        let of = key.name.unraw();
        errors.add(
            &skip.name,
            format!(
                "`skip` beside `{of}` says the same thing twice; \
             what `{of}` does not name is not part of it; only `skip(self)` may stand beside it"
            ),
        );
        return None;
    }
    let key = match key.map(|key| key.value) {
        Some(parse::Key::Readable(template)) => readable(function, template, errors)?,
        Some(parse::Key::Exprs(exprs)) => from_exprs(function, exprs),
        None => from_arguments(function, skipped, errors)?,
    };
    let names_self = key.parts.iter().any(|part| mentions(&part.to_token_stream(), "self"));
    if let Some(receiver) = function.signature.receiver()
        && !names_self
        && !skips_self
    {
        errors.add(
            receiver,
            "`#[cached]` on a method needs to know what `self` means for the key; \
             write `key(self.field, ..)` or `skip(self)`",
        );
        return None;
    }
    known.then_some(key)
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

/// "arguments are .." for a message.
pub(crate) fn choice(function: &Function) -> String {
    let receiver = function.has_receiver().then(|| "self".to_owned());
    let names: Vec<_> =
        receiver.into_iter().chain(function.names().map(|name| name.unraw().to_string())).collect();
    if names.is_empty() {
        "there are no arguments".to_owned()
    } else {
        format!("arguments are {}", listed(names.iter().map(String::as_str)))
    }
}

fn readable(function: &Function, template: Template, errors: &mut Errors) -> Option<Key> {
    if template.values().next().is_none() {
        errors.add(
            &template.literal,
            "this key names no argument, so all calls would share one \
             entry; name what tells them apart, such as `user:{id}`",
        );
        return None;
    }
    let parts: Vec<Expr> = template.values().map(|value| value.expr.clone()).collect();
    Some(Key { readable: Some(template), ..from_exprs(function, parts) })
}

fn from_exprs(function: &Function, parts: Vec<Expr>) -> Key {
    let arguments = mentioned(function, &parts);
    Key { parts, arguments, readable: None }
}

/// The arguments that expressions mention, by place.
pub(crate) fn mentioned<'a>(
    function: &Function,
    exprs: impl IntoIterator<Item = &'a Expr>,
) -> Vec<usize> {
    let tokens: TokenStream = exprs.into_iter().map(ToTokens::to_token_stream).collect();
    let names = |names: &[Ident]| names.iter().any(|name| mentions(&tokens, &name.to_string()));
    let arguments = function.arguments.iter().enumerate();
    arguments.filter(|(_, argument)| names(&argument.names)).map(|(at, _)| at).collect()
}

fn mentions(tokens: &TokenStream, name: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Every argument that is not skipped.
fn from_arguments(function: &Function, skipped: &[Ident], errors: &mut Errors) -> Option<Key> {
    let mut parts = Vec::new();
    let mut arguments = Vec::new();
    let mut sound = true;
    for (at, argument) in function.arguments.iter().enumerate() {
        let is_skipped = |name: &Ident| skipped.iter().any(|it| it.unraw() == name.unraw());
        let names: Vec<_> = argument.names.iter().filter(|name| !is_skipped(name)).collect();
        if names.is_empty() {
            continue;
        }
        if let Some(what) = keyless(&argument.kind) {
            let name = names[0].unraw();
            errors.add(
                &argument.kind,
                format!(
                    "{what} can't be part of a key; say what it means for the key with `key(..)`, \
                 or leave it out with `skip({name})`"
                ),
            );
            sound = false;
            continue;
        }
        arguments.push(at);
        for name in names {
            take_apart(parse_quote!(#name), argument.plain.then_some(&argument.kind), &mut parts);
        }
    }
    sound.then_some(Key { parts, arguments, readable: None })
}

/// What kind of argument this is, if it is one of those that are never a key by themselves.
fn keyless(kind: &Type) -> Option<&'static str> {
    match kind {
        Type::ImplTrait(_) => Some("an `impl Trait` argument"),
        Type::TraitObject(_) => Some("a `dyn` argument"),
        Type::Reference(reference) => keyless(&reference.elem),
        Type::Paren(paren) => keyless(&paren.elem),
        _ => None,
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
        _ => parts.push(expr),
    }
}
