//! Places for generated tokens, so that what the compiler says of them points at what was written.
//!
//! A token keeps the hygiene it has and moves only its location: names still resolve as they did,
//! and lints still see that nobody wrote it.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The first and the last token of something written.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) first: Span,
    pub(crate) last: Span,
}

impl Place {
    pub(crate) fn of(written: &impl ToTokens) -> Self {
        let mut spans = written.to_token_stream().into_iter().map(|token| token.span());
        let first = spans.next().unwrap_or_else(Span::call_site);
        Self { first, last: spans.last().unwrap_or(first) }
    }
}

/// Moves generated tokens to the beginning of `place`.
pub(crate) fn at(place: Place, tokens: TokenStream) -> TokenStream {
    tokens.into_iter().map(|token| moved(token, place.first)).collect()
}

/// Moves generated tokens so that together they cover `place`.
pub(crate) fn over(place: Place, tokens: TokenStream) -> TokenStream {
    let mut tokens: Vec<_> = tokens.into_iter().map(|token| moved(token, place.first)).collect();
    if let Some(last) = tokens.pop() {
        tokens.push(moved(last, place.last));
    }
    tokens.into_iter().collect()
}

/// Puts round brackets around what may be somebody else's tokens.
pub(crate) fn brackets(at: Span, inside: TokenStream) -> TokenTree {
    around(Delimiter::Parenthesis, at, inside)
}

/// Puts braces around what may be somebody else's tokens.
pub(crate) fn braces(at: Span, inside: TokenStream) -> TokenTree {
    around(Delimiter::Brace, at, inside)
}

fn around(delimiter: Delimiter, at: Span, inside: TokenStream) -> TokenTree {
    let mut group = Group::new(delimiter, inside);
    group.set_span(Span::call_site().located_at(at));
    group.into()
}

fn moved(token: TokenTree, to: Span) -> TokenTree {
    let span = token.span().located_at(to);
    let mut token = match token {
        TokenTree::Group(group) => {
            let inside = group.stream().into_iter().map(|token| moved(token, to)).collect();
            Group::new(group.delimiter(), inside).into()
        }
        other => other,
    };
    token.set_span(span);
    token
}
