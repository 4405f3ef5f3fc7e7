//! Globs over readable keys, and the escaping that keeps values from meaning anything in them.

use crate::error::{Error, ErrorKind};
use std::fmt::{self, Write};

/// A glob: `*` stands for any run of characters, `?` for one, and a backslash takes the special
/// meaning from the character behind it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Any,
    One,
    Literal(char),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(next) = chars.next() {
            parts.push(match next {
                '*' => Part::Any,
                '?' => Part::One,
                '\\' => Part::Literal(chars.next().ok_or_else(|| {
                    Error::new(
                        ErrorKind::Pattern,
                        format!("pattern `{text}` ends in a lone backslash; write `\\\\` for one"),
                    )
                })?),
                literal => Part::Literal(literal),
            });
        }
        parts.dedup_by(|next, previous| *next == Part::Any && *previous == Part::Any);
        Ok(Self { parts })
    }

    /// What it was parsed from, or another text that means the same.
    #[cfg(feature = "beyond")]
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.parts.len());
        for part in &self.parts {
            match *part {
                Part::Any => text.push('*'),
                Part::One => text.push('?'),
                Part::Literal(literal) => {
                    if "*?\\".contains(literal) {
                        text.push('\\');
                    }
                    text.push(literal);
                }
            }
        }
        text
    }

    /// Whether the whole of `text` is matched. Time is at most the product of both lengths: on a
    /// mismatch only the last `*` takes one more character, as earlier ones can't do better.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut at = 0;
        let mut rest = text.chars();
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if self.parts.get(at) == Some(&Part::Any) {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            let next = rest.next();
            let matched = match (self.parts.get(at), next) {
                (None, None) => return true,
                (Some(Part::One), Some(_)) => true,
                (Some(Part::Literal(literal)), Some(found)) => *literal == found,
                _ => false,
            };
            if matched {
                at += 1;
                continue;
            }
            let Some((star, mut from)) = retry.take() else { return false };
            if from.next().is_none() {
                return false;
            }
            at = star;
            rest = from.clone();
            retry = Some((star, from));
        }
    }
}

/// Writes a value as it stands in a readable key: letters, digits, `_`, `-`, `.` and everything
/// beyond ASCII as they are, every other byte as `%` and two hexadecimal digits.
pub struct Escaped<T>(pub T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaper(f), "{}", self.0)
    }
}

struct Escaper<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaper<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let plain = character.is_ascii_alphanumeric() || "_-.".contains(character);
            if plain || !character.is_ascii() {
                self.0.write_char(character)?;
            } else {
                write!(self.0, "%{:02X}", u32::from(character))?;
            }
        }
        Ok(())
    }
}

/// Returns a value as it stands in a readable key, for use in a pattern.
///
/// Letters, digits, `_`, `-`, `.` and everything beyond ASCII stay as they are; every other
/// character becomes `%` and two hexadecimal digits. So a value never contains the `:` of a
/// template or the `*` of a pattern.
///
/// ```
/// # use cache_runtime as larder;
/// assert_eq!(larder::escape("a:b*"), "a%3Ab%2A");
/// ```
pub fn escape(value: impl fmt::Display) -> String {
    printed(format_args!("{}", Escaped(value)))
}

/// What is printed, as far as it can be: where a faulty `Display` fails, that is all.
pub(crate) fn printed(what: fmt::Arguments<'_>) -> String {
    let mut text = String::new();
    let _ = fmt::Write::write_fmt(&mut text, what);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_star_takes_any_run_and_a_question_mark_takes_one() {
        assert!(matches("context:*:support", "context:7:support"));
        assert!(matches("context:*:support", "context::support"));
        assert!(!matches("context:*:support", "context:7:sales"));
        assert!(matches("a?c", "aéc"));
        assert!(!matches("a?c", "ac"));
        assert!(matches("*", ""));
        assert!(matches("**b*", "aab"));
        assert!(!matches("", "a"));
        assert!(matches("", ""));
    }

    #[test]
    fn a_backslash_takes_the_meaning_from_what_follows() {
        assert!(matches(r"a\*", "a*"));
        assert!(!matches(r"a\*", "ab"));
        assert!(matches(r"a\\", r"a\"));
        assert_eq!(Pattern::parse("a\\").unwrap_err().kind(), ErrorKind::Pattern);
    }

    #[cfg(feature = "beyond")]
    #[test]
    fn a_pattern_is_written_as_a_text_that_means_the_same() {
        for text in ["context:*:support", r"a\*b\?\\?*", "", r"\a"] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(Pattern::parse(&pattern.text()).unwrap(), pattern, "{text}");
        }
    }

    #[test]
    fn a_star_gives_back_what_a_later_part_needs() {
        assert!(matches("*ab*ab", "aabxaabab"));
        assert!(!matches("*ab*abc", "aabxaabab"));
    }

    #[test]
    fn a_pattern_made_to_backtrack_stays_quick() {
        let text = "a".repeat(2_000);
        assert!(!matches(&"*a".repeat(200).add("b"), &text));
    }

    trait Add {
        fn add(self, more: &str) -> String;
    }

    impl Add for String {
        fn add(mut self, more: &str) -> String {
            self.push_str(more);
            self
        }
    }
}
