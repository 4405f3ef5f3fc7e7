//! What an invalidation names, and its form in bytes.

use crate::entry::About;
use crate::mark::Mark;
use crate::pattern::Pattern;

/// What an invalidation names.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Everything that carries any of these marks.
    Any(Vec<Mark>),
    /// Everything that carries all of these marks.
    All(Vec<Mark>),
    /// Everything whose readable key matches.
    Matching(Pattern),
    Everything,
}

pub(crate) fn carries_all(about: &About, marks: &[Mark]) -> bool {
    marks.iter().all(|mark| about.any(&mut |some| some.marks.contains(mark)))
}

pub(crate) fn matches(about: &About, pattern: &Pattern) -> bool {
    about
        .any(&mut |some| some.readable.as_deref().is_some_and(|readable| pattern.matches(readable)))
}

#[cfg(feature = "redis")]
impl Target {
    const ANY: u8 = b'm';
    const ALL: u8 = b'a';
    const MATCHING: u8 = b'p';
    const EVERYTHING: u8 = b'e';

    /// Whether a value is meant.
    pub(crate) fn holds_for(&self, about: &About) -> bool {
        match self {
            Self::Any(marks) => {
                marks.iter().any(|mark| about.any(&mut |some| some.marks.contains(mark)))
            }
            Self::All(marks) => carries_all(about, marks),
            Self::Matching(pattern) => matches(about, pattern),
            Self::Everything => true,
        }
    }

    /// Bytes that mean the same in every process.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let marked = |kind, marks: &[Mark]| {
            let words = marks.iter().flat_map(|mark| mark.words());
            std::iter::once(kind).chain(words.flat_map(u64::to_le_bytes)).collect()
        };
        match self {
            Self::Any(marks) => marked(Self::ANY, marks),
            Self::All(marks) => marked(Self::ALL, marks),
            Self::Matching(pattern) => [&[Self::MATCHING], pattern.text().as_bytes()].concat(),
            Self::Everything => vec![Self::EVERYTHING],
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            Self::ANY => marks(rest).map(Self::Any),
            Self::ALL => marks(rest).map(Self::All),
            Self::MATCHING => {
                Some(Self::Matching(Pattern::parse(std::str::from_utf8(rest).ok()?).ok()?))
            }
            Self::EVERYTHING => rest.is_empty().then_some(Self::Everything),
            _ => None,
        }
    }
}

#[cfg(feature = "redis")]
fn marks(bytes: &[u8]) -> Option<Vec<Mark>> {
    let (each, []) = bytes.as_chunks::<16>() else { return None };
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
    each.iter().map(|it| Some(Mark::from_words([word(&it[..8])?, word(&it[8..])?]))).collect()
}

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::Target;
    use crate::mark::Mark;
    use crate::pattern::Pattern;

    #[test]
    fn what_is_written_is_what_is_read() {
        let marks = vec![Mark::tag("a"), Mark::tag("b")];
        let pattern = Pattern::parse("a*").unwrap();
        for target in [
            Target::Any(marks.clone()),
            Target::All(marks),
            Target::Matching(pattern),
            Target::Everything,
        ] {
            let bytes = target.bytes();
            let read = Target::parse(&bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{target:?}"));
        }
        for bytes in [&b""[..], b"m1", b"e1", b"x", b"p\\"] {
            assert!(Target::parse(bytes).is_none(), "{bytes:?}");
        }
    }
}
