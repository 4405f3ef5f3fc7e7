//! One reader for `name = value`, `name(..)` and flags.
//!
//! Unknown and repeated names are faults here; what a value may be is its own option's concern.

use crate::diagnostics::{Errors, did_you_mean, listed};
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, LitStr, Token, parenthesized};

/// One option as written.
pub(crate) struct Written {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Flag,
    Assigned(Expr),
    Listed(TokenStream),
}

impl Parse for Written {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Assigned(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let inner;
            parenthesized!(inner in input);
            Value::Listed(inner.parse()?)
        } else {
            Value::Flag
        };
        Ok(Self { name, value })
    }
}

/// Reads all options of an attribute. Those that are unknown or repeated are reported and left out.
pub(crate) fn read(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> Vec<Written> {
    let parser = Punctuated::<Written, Token![,]>::parse_terminated;
    let Some(written) = errors.take(parser.parse2(tokens)) else { return Vec::new() };
    let mut options: Vec<Written> = Vec::new();
    for option in written {
        let name = option.name.unraw().to_string();
        if !known.contains(&name.as_str()) {
            let guess = did_you_mean(&name, known.iter().copied());
            errors.add(
                &option.name,
                format!(
                    "unknown option `{name}`{guess} options are {}",
                    listed(known.iter().copied())
                )
                .replace("` options", "`; options"),
            );
        } else if options.iter().any(|other| other.name.unraw() == name) {
            errors.add(&option.name, format!("`{name}` is given twice; leave one of them out"));
        } else {
            options.push(option);
        }
    }
    options
}

impl Written {
    /// What is assigned, as an expression.
    pub(crate) fn expr(&self, example: &str) -> syn::Result<&Expr> {
        match &self.value {
            Value::Assigned(expr) => Ok(expr),
            Value::Flag | Value::Listed(_) => Err(self.fault(example)),
        }
    }

    /// What is assigned, as a string.
    pub(crate) fn string(&self, example: &str) -> syn::Result<&LitStr> {
        match self.expr(example)? {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Ok(literal),
            other => Err(self.fault_at(other, example)),
        }
    }

    /// What is assigned, as a single word.
    pub(crate) fn word(&self, example: &str) -> syn::Result<Ident> {
        match self.expr(example)? {
            Expr::Path(path) => {
                path.path.get_ident().cloned().ok_or_else(|| self.fault_at(path, example))
            }
            other => Err(self.fault_at(other, example)),
        }
    }

    pub(crate) fn fault(&self, example: &str) -> syn::Error {
        self.fault_at(&self.name, example)
    }

    pub(crate) fn fault_at(&self, at: impl ToTokens, example: &str) -> syn::Error {
        let name = self.name.unraw();
        syn::Error::new_spanned(at, format!("`{name}` is written {example}"))
    }
}

/// Strings in any of the forms `"a,b"`, `["a", "b"]`, `("a", "b")`.
///
/// A literal stands beside each string, since the first form has several in one.
pub(crate) fn strings(option: &Written, example: &str) -> syn::Result<Vec<(LitStr, String)>> {
    let one = |expr: &Expr| match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => Ok((literal.clone(), literal.value())),
        other => Err(option.fault_at(other, example)),
    };
    match &option.value {
        Value::Assigned(Expr::Array(array)) => array.elems.iter().map(one).collect(),
        Value::Assigned(Expr::Lit(ExprLit { lit: Lit::Str(literal), .. })) => Ok(literal
            .value()
            .split(',')
            .map(|part| (literal.clone(), part.trim().to_owned()))
            .collect()),
        Value::Assigned(other) => Err(option.fault_at(other, example)),
        Value::Listed(tokens) => exprs(tokens)?.iter().map(one).collect(),
        Value::Flag => Err(option.fault(example)),
    }
}

/// Expressions with commas between.
pub(crate) fn exprs(tokens: &TokenStream) -> syn::Result<Vec<Expr>> {
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    Ok(parser.parse2(tokens.clone())?.into_iter().collect())
}
