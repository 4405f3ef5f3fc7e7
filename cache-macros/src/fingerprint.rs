//! Fingerprints of tokens: the same on every build, by every compiler, however the code is laid out.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Hashes tokens by what they say, with 64-bit FNV-1a.
pub(crate) fn of(tokens: TokenStream) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.tokens(tokens);
    hash.0
}

/// Hashes code by what it says: without documentation, and without commas that layout alone puts
/// before a closing bracket.
pub(crate) fn of_code(tokens: TokenStream) -> u64 {
    of(without_layout(tokens))
}

fn without_layout(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = &token else {
            kept.push(token);
            continue;
        };
        if is_documentation(group) && ends_with(&kept, "#") {
            kept.pop();
        } else if is_documentation(group) && ends_with(&kept, "#!") {
            kept.truncate(kept.len() - 2);
        } else if ends_with(&kept, "!") {
            // What a macro is called with is for the macro to judge.
            kept.push(token);
        } else {
            let inside = without_last_comma(group.delimiter(), without_layout(group.stream()));
            kept.push(Group::new(group.delimiter(), inside).into());
        }
    }
    kept.into_iter().collect()
}

fn ends_with(tokens: &[TokenTree], signs: &str) -> bool {
    let mut last = tokens.iter().rev();
    let mut signs = signs.chars().rev();
    signs.all(|sign| matches!(last.next(), Some(TokenTree::Punct(it)) if it.as_char() == sign))
}

/// Whether these are the brackets of `#[doc = ..]`.
fn is_documentation(group: &Group) -> bool {
    let mut inside = group.stream().into_iter();
    let doc = matches!(inside.next(), Some(TokenTree::Ident(ident)) if ident == "doc");
    doc && group.delimiter() == Delimiter::Bracket
        && matches!(inside.next(), Some(TokenTree::Punct(punct)) if punct.as_char() == '=')
}

/// The only comma in round brackets makes a tuple, or does nothing: it stays.
fn without_last_comma(delimiter: Delimiter, inside: TokenStream) -> TokenStream {
    let mut inside: Vec<_> = inside.into_iter().collect();
    let commas = (0..inside.len()).filter(|at| ends_with(&inside[..=*at], ",")).count();
    let only = delimiter == Delimiter::Parenthesis && commas == 1;
    if !only && ends_with(&inside, ",") {
        inside.pop();
    }
    inside.into_iter().collect()
}

struct Fnv(u64);

impl Fnv {
    fn tokens(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    self.word(&format!("{:?}", group.delimiter()));
                    self.tokens(group.stream());
                    self.word("end");
                }
                TokenTree::Punct(punct) => self.word(punct.as_char().encode_utf8(&mut [0; 4])),
                other => self.word(&other.to_string()),
            }
        }
    }

    /// The length goes first, so that two words are never taken for two others.
    fn word(&mut self, word: &str) {
        let length = (word.len() as u64).to_le_bytes();
        for byte in length.iter().chain(word.as_bytes()) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{of, of_code};

    fn of_text(text: &str) -> u64 {
        of(text.parse().expect("tokens"))
    }

    #[test]
    fn a_fingerprint_is_the_same_on_every_build() {
        assert_eq!(of_text("&str, Vec<u8>"), 0x5871_dd47_efe0_238b);
    }

    #[test]
    fn layout_does_not_change_it_and_types_do() {
        assert_eq!(of_text("Vec<u8>,(u8,)"), of_text("Vec < u8 > ,\n ( u8 , )"));
        assert_ne!(of_text("u8, u16"), of_text("u16, u8"));
        assert_ne!(of_text("(u8, u8)"), of_text("(u8), u8"));
        assert_ne!(of_text("ab c"), of_text("a bc"));
    }

    fn of_code_text(text: &str) -> u64 {
        of_code(text.parse().expect("tokens"))
    }

    const CODE: &str = "#[a(b = 2)] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; g(id, x) }";

    #[test]
    fn a_fingerprint_of_code_is_the_same_on_every_build() {
        assert_eq!(of_code_text(CODE), 0x5813_55b8_90a9_4c53);
    }

    #[test]
    fn documentation_comments_and_layout_do_not_change_the_fingerprint_of_code() {
        let others = [
            "#[a(b = 2)] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; /* c */ g(id, x) } // d",
            "#[a(b = 2)]\nfn f(\n  id: u64,\n  x: &str,\n) -> (u8 ,) { vec![ id, ]; g(id, x,) }",
            "#[doc = \"a\"] #[a(b = 2)] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; g(id, x) }",
            "/// a\n#[a(b = 2)] fn f(/** b */ id: u64, x: &str) -> (u8,) {\n//! c\n vec![id,]; g(id, x) }",
        ];
        for other in others {
            assert_eq!(of_code_text(other), of_code_text(CODE), "{other}");
        }
    }

    #[test]
    fn whatever_else_changes_changes_the_fingerprint_of_code() {
        let others = [
            "#[a(b = 3)] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; g(id, x) }",
            "#[a(b = 2)] #[inline] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; g(id, x) }",
            "#[a(b = 2)] fn f(id: u32, x: &str) -> (u8,) { vec![id,]; g(id, x) }",
            "#[a(b = 2)] fn f(id: u64, x: &str) -> (u8) { vec![id,]; g(id, x) }",
            "#[a(b = 2)] fn f(id: u64, x: &str) -> (u8,) { vec![id]; g(id, x) }",
            "#[a(b = 2)] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; g(x, id) }",
            "#[a(b = 2)] fn f(id: u64, x: &str) -> (u8,) { vec![id,]; g(id, x); }",
        ];
        for other in others {
            assert_ne!(of_code_text(other), of_code_text(CODE), "{other}");
        }
        assert_ne!(of_code_text("m![doc = 1]"), of_code_text(""));
        let in_a_call = |text: &str| of_code_text(&format!("m!(#[doc = \"{text}\"])"));
        assert_ne!(in_a_call("a"), in_a_call("b"));
    }
}
