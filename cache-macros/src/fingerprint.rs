//! Fingerprints of tokens: the same on every build, by every compiler, however the code is laid out.

use proc_macro2::{TokenStream, TokenTree};

/// Hashes tokens by what they say, with 64-bit FNV-1a.
pub(crate) fn of(tokens: TokenStream) -> u64 {
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    hash.tokens(tokens);
    hash.0
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
    use super::of;

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
}
