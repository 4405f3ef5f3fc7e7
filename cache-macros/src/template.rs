//! Templates of tags and readable keys: text with `{path}` in it.

use crate::diagnostics::Errors;
use crate::options::Written;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Error, Expr, LitStr};

/// A template, taken apart.
pub(crate) struct Template {
    pub(crate) literal: LitStr,
    /// The template as written; the literal may hold several.
    pub(crate) text: String,
    pub(crate) pieces: Vec<Piece>,
}

pub(crate) enum Piece {
    Text(String),
    Value(Value),
}

/// What stands between two braces.
pub(crate) struct Value {
    /// The argument the path starts from.
    pub(crate) root: String,
    pub(crate) expr: Expr,
}

impl Template {
    /// Takes a literal apart. Faults are at the literal, with the word in the message.
    pub(crate) fn parse(literal: &LitStr, text: &str) -> syn::Result<Self> {
        let fault = |message: String| Error::new(literal.span(), message);
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(fault(format!(
                    "`{text}` has a `}}` that closes nothing; write `}}}}` for a brace"
                )));
            }
            let Some(end) = after.find('}') else {
                return Err(fault(format!(
                    "`{text}` has a `{{` that is never closed; write `{{{{` for a brace"
                )));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Value(value(literal, text, &after[..end])?));
            rest = &after[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { literal: literal.clone(), text: text.to_owned(), pieces })
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(value) => Some(value),
            Piece::Text(_) => None,
        })
    }

    /// The arguments of a `format_args!` that writes the template, each value through `wrap`.
    pub(crate) fn format(&self, wrap: impl Fn(&Expr) -> TokenStream) -> TokenStream {
        let format: String = self
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.replace('{', "{{").replace('}', "}}"),
                Piece::Value(_) => "{}".to_owned(),
            })
            .collect();
        let format = LitStr::new(&format, Span::call_site());
        let values = self.values().map(|value| wrap(&value.expr));
        quote!(#format #(, #values)*)
    }
}

/// Reads `tags(..)`.
pub(crate) fn tags(option: &Written) -> syn::Result<Vec<Template>> {
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

/// Reads a path of fields and argument-less methods.
fn value(literal: &LitStr, text: &str, path: &str) -> syn::Result<Value> {
    let fault = |why: &str| {
        Error::new(
            literal.span(),
            format!(
                "`{{{path}}}` in `{text}` {why}; write an argument, with fields and methods \
                 without arguments behind it, such as `{{user.id}}` or `{{name.len()}}`"
            ),
        )
    };
    if path.trim().is_empty() {
        return Err(fault("names nothing"));
    }
    if path.contains(':') {
        return Err(fault("has a format specification, which templates don't take"));
    }
    // In a string, as in those of `format!`, an argument `r#type` may go without its `r#`.
    let expr = syn::parse_str::<Expr>(path)
        .or_else(|_| syn::parse_str(&format!("r#{}", path.trim_start())))
        .map_err(|_| fault("is not a path"))?;
    let root = root(&expr).ok_or_else(|| fault("is not a path"))?;
    let tokens = respan(expr.to_token_stream(), literal.span());
    Ok(Value { root, expr: syn::parse2(tokens)? })
}

/// The identifier a path starts with, if it is one of fields and argument-less methods.
fn root(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) if call.args.is_empty() && call.turbofish.is_none() => {
            root(&call.receiver)
        }
        _ => None,
    }
}

fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let proc_macro2::TokenTree::Group(group) = &token {
                let stream = respan(group.stream(), span);
                token = proc_macro2::Group::new(group.delimiter(), stream).into();
            }
            token.set_span(span);
            token
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Template, String> {
        let literal = LitStr::new(text, Span::call_site());
        Template::parse(&literal, text).map_err(|error| error.to_string())
    }

    fn format(text: &str) -> String {
        parse(text).unwrap().format(ToTokens::to_token_stream).to_string()
    }

    #[test]
    fn a_template_becomes_format_arguments() {
        assert_eq!(format("user:{id}"), r#""user:{}" , id"#);
        assert_eq!(format("{a.b}:{c.len()}:{t.0}"), r#""{}:{}:{}" , a . b , c . len () , t . 0"#);
        assert_eq!(format("{{{id}}}"), r#""{{{}}}" , id"#);
        assert_eq!(format("{type}:{match.id}"), r#""{}:{}" , r#type , r#match . id"#);
        assert_eq!(format("{self.0.name()}"), r#""{}" , self . 0 . name ()"#);
        assert_eq!(format(""), r#""""#);
    }

    #[test]
    fn a_malformed_template_says_what_to_write() {
        for (text, why) in [
            ("a{", "never closed"),
            ("a}", "closes nothing"),
            ("{}", "names nothing"),
            ("{id:>5}", "format specification"),
            ("{f(1)}", "is not a path"),
            ("{x.f(1)}", "is not a path"),
            ("{1}", "is not a path"),
            ("{a b}", "is not a path"),
        ] {
            let message = parse(text).err().unwrap_or_default();
            assert!(message.contains(why), "{text}: {message}");
        }
    }
}
