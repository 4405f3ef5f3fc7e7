//! Which arguments an expression mentions. Decided on tokens, since what is in a macro call is
//! nothing else; rather one too many than one too few.

use crate::function::Function;
use proc_macro2::{Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;
use syn::ext::IdentExt;

/// The arguments that expressions mention, by place.
pub(crate) fn arguments<'a>(
    function: &Function,
    exprs: impl IntoIterator<Item = &'a Expr>,
) -> Vec<usize> {
    let tokens: TokenStream = exprs.into_iter().map(ToTokens::to_token_stream).collect();
    let arguments = function.arguments.iter().enumerate();
    arguments
        .filter(|(_, argument)| argument.names.iter().any(|it| mentions(&tokens, &it.to_string())))
        .map(|(at, _)| at)
        .collect()
}

/// Whether `name` is mentioned as a variable: neither as a field or method, nor in a path.
pub(crate) fn mentions(tokens: &TokenStream, name: &str) -> bool {
    let mut before = Before::Nothing;
    let mut tokens = tokens.clone().into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match &token {
            TokenTree::Ident(ident) => {
                let path = matches!(tokens.peek(), Some(TokenTree::Punct(punct))
                    if punct.as_char() == ':' && punct.spacing() == Spacing::Joint);
                ident == name && !path && !matches!(before, Before::Dot | Before::Colons)
            }
            TokenTree::Group(group) => mentions(&group.stream(), name),
            TokenTree::Literal(literal) => captures(&literal.to_string(), name),
            TokenTree::Punct(_) => false,
        };
        if found {
            return true;
        }
        before = before.then(&token);
    }
    false
}

/// Whether an expression may leave the function it stands in, or wait in it.
pub(crate) fn leaves(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Ident(ident) => ident == "return" || ident == "await",
        TokenTree::Group(group) => leaves(&group.stream()),
        TokenTree::Literal(_) => false,
    })
}

/// What stands before a token, as far as it matters.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Dot,
    Dots,
    Colon,
    Colons,
}

impl Before {
    fn then(self, token: &TokenTree) -> Self {
        let TokenTree::Punct(punct) = token else { return Self::Nothing };
        match (self, punct.as_char()) {
            (Self::Dot | Self::Dots, '.') => Self::Dots,
            (_, '.') => Self::Dot,
            (Self::Colon, ':') => Self::Colons,
            (_, ':') => Self::Colon,
            _ => Self::Nothing,
        }
    }
}

/// Whether a literal, should it be a format string, captures `name`.
fn captures(literal: &str, name: &str) -> bool {
    let name = name.strip_prefix("r#").unwrap_or(name);
    literal.match_indices('{').any(|(at, brace)| {
        let inside = literal[at + brace.len()..].trim_start();
        let rest = inside.strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start().starts_with(['}', ':']))
    })
}

/// Whether the receiver is mentioned.
pub(crate) fn receiver<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> bool {
    exprs.into_iter().any(|expr| mentions(&expr.to_token_stream(), "self"))
}

/// Whether two names are the same, with `r#` or without.
pub(crate) fn same(one: &proc_macro2::Ident, other: &proc_macro2::Ident) -> bool {
    one.unraw() == other.unraw()
}

#[cfg(test)]
mod tests {
    use super::mentions;

    fn mentioned(tokens: &str) -> bool {
        mentions(&tokens.parse().expect(tokens), "id")
    }

    #[test]
    fn a_variable_is_mentioned_wherever_it_stands() {
        let all = [
            "id",
            "id.len()",
            "f(&id)",
            "0..id",
            "..=id",
            "[id; 2]",
            "vec![id]",
            "format!(\"{id}\")",
            "format!(\"{a}-{ id :?}\")",
            "S { id: 1 }",
            "if a { b } else { id }",
        ];
        for tokens in all {
            assert!(mentioned(tokens), "{tokens}");
        }
    }

    #[test]
    fn fields_methods_and_paths_are_not_variables() {
        for tokens in ["db.id", "db.id()", "id::NONE", "f::id", "\"id\"", "\"{ids}\"", "ids"] {
            assert!(!mentioned(tokens), "{tokens}");
        }
    }
}
