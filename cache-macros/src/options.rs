//! One reader for `name = value`, `name(..)` and flags.
//!
//! Unknown and repeated names are faults here; what a value may be is its own option's concern. A
//! fault in one option hides none in another.

use crate::diagnostics::{Errors, closest, unknown};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprGroup, ExprLit, Lit, LitStr, Token, parenthesized, parse_quote};

/// One option as written.
pub(crate) struct Written {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Flag,
    Assigned(Expr),
    Listed(TokenStream),
    /// Something that is none of the above.
    Broken,
}

/// The names that may stand in one place.
pub(crate) struct Names<'a> {
    /// What they are names of, and how one of them is written, for messages.
    pub(crate) what: &'a str,
    pub(crate) example: &'a str,
    pub(crate) known: &'a [&'a str],
}

/// What was read.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) options: Vec<Written>,
    /// The names that those may have meant which are not among the options.
    pub(crate) meant: Vec<String>,
}

/// Reads options. Those that are unknown or repeated are reported and left out.
pub(crate) fn read(tokens: TokenStream, names: &Names<'_>, errors: &mut Errors) -> Read {
    let written = (|input: ParseStream<'_>| Ok(all(input, names, errors))).parse2(tokens);
    let mut read = Read::default();
    for option in errors.take(written).into_iter().flatten() {
        let name = option.name.unraw().to_string();
        if !names.known.contains(&name.as_str()) {
            errors.add(&option.name, unknown(names.what, &name, names.known));
            read.meant.extend(closest(&name, names.known).map(str::to_owned));
        } else if read.options.iter().any(|other| other.name.unraw() == name) {
            errors.add(&option.name, format!("`{name}` is given twice; leave one of them out"));
        } else {
            read.options.push(option);
        }
    }
    read
}

fn all(input: ParseStream<'_>, names: &Names<'_>, errors: &mut Errors) -> Vec<Written> {
    let what = names.what;
    let mut options = Vec::new();
    while !input.is_empty() {
        match Ident::parse_any(input) {
            Ok(name) => options.push(Written { name, value: value(input) }),
            Err(error) => {
                let message = format!("this is no {what}; one is written {}", names.example);
                errors.combine(syn::Error::new(error.span(), message));
                skip(input);
            }
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            let message = format!("one {what} ends here; write `,` before the next");
            errors.combine(input.error(message));
            if !input.peek(syn::Ident::peek_any) {
                skip(input);
            }
        }
        // At the end there is none to take.
        let _: Option<Token![,]> = input.parse().ok();
    }
    options
}

fn value(input: ParseStream<'_>) -> Value {
    if input.is_empty() || input.peek(Token![,]) {
        return Value::Flag;
    }
    let read = || {
        if input.peek(syn::token::Paren) {
            let inner;
            parenthesized!(inner in input);
            return inner.parse().map(Value::Listed);
        }
        input.parse::<Token![=]>()?;
        input.parse().map(|expr| Value::Assigned(visible(expr)))
    };
    read().unwrap_or_else(|_| {
        skip(input);
        Value::Broken
    })
}

/// Goes on to the next comma.
fn skip(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

/// Replaces the invisible brackets that a macro puts around its arguments: the compiler would not
/// see them, and bind operators otherwise.
fn visible(expr: Expr) -> Expr {
    struct Visible;
    impl VisitMut for Visible {
        fn visit_expr_mut(&mut self, expr: &mut Expr) {
            visit_mut::visit_expr_mut(self, expr);
            if let Expr::Group(ExprGroup { expr: inner, .. }) = expr {
                *expr = parse_quote!((#inner));
            }
        }
    }
    let mut expr = match expr {
        Expr::Group(group) => return visible(*group.expr),
        other => other,
    };
    Visible.visit_expr_mut(&mut expr);
    expr
}

impl Written {
    /// What is assigned, as an expression.
    pub(crate) fn expr(&self, example: &str) -> syn::Result<&Expr> {
        match &self.value {
            Value::Assigned(expr) => Ok(expr),
            _ => Err(self.fault(example)),
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
            Expr::Path(path) if path.attrs.is_empty() => path.path.get_ident().cloned(),
            _ => None,
        }
        .ok_or_else(|| self.fault_at_value(example))
    }

    pub(crate) fn fault(&self, example: &str) -> syn::Error {
        self.fault_at(&self.name, example)
    }

    fn fault_at_value(&self, example: &str) -> syn::Error {
        match &self.value {
            Value::Assigned(expr) => self.fault_at(expr, example),
            _ => self.fault(example),
        }
    }

    pub(crate) fn fault_at(&self, at: impl ToTokens, example: &str) -> syn::Error {
        let name = self.name.unraw();
        syn::Error::new_spanned(at, format!("`{name}` is written {example}"))
    }

    /// Strings in any of the forms `= "a, b"`, `= ["a", "b"]`, `("a", "b")`.
    ///
    /// A literal stands beside each string, since the first form has several in one.
    pub(crate) fn strings(&self, example: &str) -> syn::Result<Vec<(LitStr, String)>> {
        let one = |expr: Expr| match visible(expr) {
            Expr::Lit(ExprLit { lit: Lit::Str(literal), .. }) => {
                let text = literal.value();
                Ok((literal, text))
            }
            other => Err(self.fault_at(other, example)),
        };
        match &self.value {
            Value::Assigned(Expr::Array(array)) => array.elems.iter().cloned().map(one).collect(),
            Value::Listed(_) => self.exprs(example)?.into_iter().map(one).collect(),
            _ => {
                let literal = self.string(example)?;
                let text = literal.value();
                let parts = text.split(',').map(|part| (literal.clone(), part.trim().to_owned()));
                Ok(parts.collect())
            }
        }
    }

    /// What is listed, as expressions; at least one.
    pub(crate) fn exprs(&self, example: &str) -> syn::Result<Vec<Expr>> {
        let Value::Listed(tokens) = &self.value else { return Err(self.fault_at_value(example)) };
        match Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens.clone()) {
            Ok(exprs) if exprs.is_empty() => Err(self.fault(example)),
            Ok(exprs) => Ok(exprs.into_iter().map(visible).collect()),
            Err(_) => Err(self.fault_at(tokens, example)),
        }
    }

    /// What is listed, as single words; at least one.
    pub(crate) fn words(&self, example: &str) -> syn::Result<Vec<Ident>> {
        let Value::Listed(tokens) = &self.value else { return Err(self.fault_at_value(example)) };
        let words = |input: ParseStream<'_>| {
            Punctuated::<Ident, Token![,]>::parse_terminated_with(input, Ident::parse_any)
        };
        match words.parse2(tokens.clone()) {
            Ok(words) if words.is_empty() => Err(self.fault(example)),
            Ok(words) => Ok(words.into_iter().collect()),
            Err(_) => Err(self.fault_at(tokens, example)),
        }
    }
}
