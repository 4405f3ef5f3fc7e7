//! Tokens as text for people, spaced as `rustfmt` would space paths, calls and operators.
//!
//! What is parsed and written again has lost its spaces, and the compiler prints `a :: b` for it.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// Writes tokens out.
pub(crate) fn of(tokens: TokenStream) -> String {
    let mut text = Text::default();
    for token in tokens {
        text.push(token);
    }
    text.written
}

/// What was written last, as far as the next space depends on it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    /// Nothing, or something that the next token belongs to.
    #[default]
    Open,
    /// The beginning of an operator of several signs.
    Half,
    Word,
    Operator,
}

#[derive(Default)]
struct Text {
    written: String,
    last: Last,
    /// How many `::<` are not closed.
    generics: usize,
}

impl Text {
    fn push(&mut self, token: TokenTree) {
        match token {
            TokenTree::Group(group) => {
                let inside = of(group.stream());
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                let brace = group.delimiter() == Delimiter::Brace;
                self.space(self.last == Last::Operator || (brace && self.last == Last::Word));
                self.written.extend([open, &inside, close]);
                self.last = Last::Word;
            }
            TokenTree::Punct(punct) => self.push_punct(punct.as_char(), punct.spacing()),
            word => {
                self.space(matches!(self.last, Last::Word | Last::Operator));
                self.written.push_str(&word.to_string());
                self.last = Last::Word;
            }
        }
    }

    fn push_punct(&mut self, sign: char, spacing: Spacing) {
        let path = sign == '<' && self.written.ends_with("::");
        let closes = sign == '>' && self.generics > 0;
        let begins = matches!(self.last, Last::Open | Last::Operator);
        let prefix = begins && matches!(sign, '!' | '&' | '*' | '-');
        let macro_call = sign == '!' && spacing == Spacing::Alone;
        let behind = closes || macro_call || matches!(sign, '.' | ',' | ';' | '?' | ':');
        self.space(self.last == Last::Operator || (self.last == Last::Word && !behind));
        self.written.push(sign);
        self.generics = self.generics + usize::from(path) - usize::from(closes);
        let glued = path || prefix || macro_call || matches!(sign, '.' | '\'');
        self.last = if closes || sign == '?' {
            Last::Word
        } else if glued || self.written.ends_with("::") {
            Last::Open
        } else if spacing == Spacing::Joint {
            Last::Half
        } else {
            Last::Operator
        };
    }

    fn space(&mut self, wanted: bool) {
        if wanted {
            self.written.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    #[test]
    fn an_expression_is_written_as_people_write_it() {
        let all = [
            "judged::weight",
            "Vec::<u8>::len",
            "id > 0 && !name.is_empty()",
            "self.runtime",
            "&self.parts[0].runtime()?",
            "left - 1 == -right * 2",
            "a != b || matches!(c, Some(_))",
            "f(&a, \"a :: b\", (1, 2))",
            "vec![1].len() > { 1 }",
            "S { id }.id == 1",
        ];
        for text in all {
            let expr: syn::Expr = syn::parse_str(text).expect(text);
            assert_eq!(super::of(expr.to_token_stream()), text);
        }
    }
}
