//! How deep a parser may have to recurse for a file, told from its tokens alone.
//!
//! `syn` recurses once for each level of its syntax tree, and a stack that overflows ends the
//! process. No stack is large enough for every file (`((((..`, `!!!!..`, `a + a + ..`,
//! `else if .. else if ..`), so what could be too deep is refused before it is parsed.
//!
//! 1. The bound is never too low: every level takes a token, and tokens stop counting only where a
//!    list, a statement or an item surely ends. Attributes, doc comments among them, are no level.
//! 2. Finding it does not recurse.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree, token_stream};

/// The deepest nesting that is parsed.
pub(crate) const MOST_NESTING: usize = 4_000;

/// What parsing and visiting that much takes, debug builds included.
pub(crate) const STACK_BYTES: usize = 512 << 20;

/// The tokens of one group, being read.
struct Level {
    tokens: token_stream::IntoIter,
    /// How deep the group itself stands.
    base: usize,
    /// Tokens since the last one that surely ended what was before it.
    run: usize,
    /// Angle brackets that may be open: a comma in there does not end a list.
    angles: usize,
    after: After,
}

/// The token before this one, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Braces,
    /// The `#` or `#!` of an attribute.
    Hash,
    /// A `-` or `=` that makes an arrow of a `>`.
    Shaft,
    Other,
}

impl Level {
    fn new(tokens: TokenStream, base: usize) -> Self {
        Self { tokens: tokens.into_iter(), base, run: 0, angles: 0, after: After::Other }
    }

    fn depth(&self) -> usize {
        self.base + self.run
    }

    fn restart(&mut self) {
        self.run = 0;
        self.angles = 0;
    }

    /// Takes one token into account, and returns it if it is a group to be read.
    fn read(&mut self, token: TokenTree) -> Option<Group> {
        let after = std::mem::replace(&mut self.after, After::Other);
        if after == After::Braces && begins_anew(&token) {
            self.restart();
        }
        if !is_attribute(&token, after) {
            self.run += 1;
        }
        match token {
            TokenTree::Punct(mark) => {
                match mark.as_char() {
                    ';' => self.restart(),
                    ',' if self.angles == 0 => self.restart(),
                    '<' => self.angles += 1,
                    '>' if after != After::Shaft => self.angles = self.angles.saturating_sub(1),
                    '-' | '=' if mark.spacing() == Spacing::Joint => self.after = After::Shaft,
                    '#' => self.after = After::Hash,
                    '!' if after == After::Hash => self.after = After::Hash,
                    _ => {}
                }
                None
            }
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Brace {
                    self.after = After::Braces;
                }
                Some(group)
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) => None,
        }
    }
}

/// Whether a token behind braces can't belong to what they end: an expression goes on with a
/// punctuation mark, `else` or `as`, a pattern with a mark, `in`, or the guard of a match arm.
fn begins_anew(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => !["else", "as", "in"].iter().any(|it| word == it),
        TokenTree::Punct(mark) => mark.as_char() == '#',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}

fn is_attribute(token: &TokenTree, after: After) -> bool {
    match token {
        TokenTree::Punct(mark) => {
            mark.as_char() == '#' || (mark.as_char() == '!' && after == After::Hash)
        }
        TokenTree::Group(group) => group.delimiter() == Delimiter::Bracket && after == After::Hash,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    }
}

/// A depth that the syntax tree of `tokens` does not exceed.
pub(crate) fn bound(tokens: TokenStream) -> usize {
    let mut deepest = 0;
    let mut levels = vec![Level::new(tokens, 0)];
    while let Some(level) = levels.last_mut() {
        let Some(token) = level.tokens.next() else {
            levels.pop();
            continue;
        };
        let group = level.read(token);
        deepest = deepest.max(level.depth());
        if let Some(group) = group {
            let base = level.depth().max(level.base + 1);
            levels.push(Level::new(group.stream(), base));
        }
    }
    deepest
}
