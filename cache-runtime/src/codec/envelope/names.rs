//! The names an entry depends on, in groups: one for the entry itself, and one for each callee.
//!
//! A group is a count and that many marks of two numbers, then a flag, and behind a 1 the length and
//! the text of a readable key.

use super::Damage;

const UNREAD: u8 = 0;
const READABLE: u8 = 1;

/// The names of one computation.
#[derive(Clone, Debug)]
pub(crate) struct Group<'a, M> {
    pub(crate) marks: M,
    pub(crate) readable: Option<&'a str>,
}

impl<M: ExactSizeIterator<Item = [u64; 2]>> Group<'_, M> {
    /// How many bytes it takes.
    pub(super) fn len(&self) -> usize {
        let readable = self.readable.map_or(0, |text| 4 + text.len());
        4 + self.marks.len() * 16 + 1 + readable
    }

    /// More than 32 bits can count is more than `Section::most`, which is asked before.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes();
        out.extend_from_slice(&count(self.marks.len()));
        for half in self.marks.flatten() {
            out.extend_from_slice(&half.to_le_bytes());
        }
        let Some(text) = self.readable else { return out.push(UNREAD) };
        out.push(READABLE);
        out.extend_from_slice(&count(text.len()));
        out.extend_from_slice(text.as_bytes());
    }
}

/// Groups that are known to be well formed, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Groups<'a>(&'a [u8]);

impl<'a> Groups<'a> {
    /// None at all.
    #[cfg(test)]
    pub(crate) const EMPTY: Self = Self(&[]);

    pub(super) fn parse(names: &'a [u8]) -> Result<Self, Damage> {
        let mut rest = names;
        while !rest.is_empty() {
            (_, rest) = split(rest).ok_or(Damage::Names)?;
        }
        Ok(Self(names))
    }
}

impl<'a> Iterator for Groups<'a> {
    type Item = Group<'a, Marks<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (group, rest) = split(self.0)?;
        self.0 = rest;
        Some(group)
    }
}

/// The first group, and what is behind it.
fn split(names: &[u8]) -> Option<(Group<'_, Marks<'_>>, &[u8])> {
    let (count, rest) = length(names)?;
    let (marks, rest) = rest.split_at_checked(count.checked_mul(16)?)?;
    let (flag, rest) = rest.split_first()?;
    let (readable, rest) = match *flag {
        UNREAD => (None, rest),
        READABLE => {
            let (length, rest) = length(rest)?;
            let (text, rest) = rest.split_at_checked(length)?;
            (Some(std::str::from_utf8(text).ok()?), rest)
        }
        _ => return None,
    };
    Some((Group { marks: Marks(marks), readable }, rest))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*length)).ok()?, rest))
}

/// The marks of a group.
#[derive(Clone, Debug)]
pub(crate) struct Marks<'a>(&'a [u8]);

impl Iterator for Marks<'_> {
    type Item = [u64; 2];

    fn next(&mut self) -> Option<[u64; 2]> {
        let (one, rest) = self.0.split_first_chunk()?;
        let (other, rest) = rest.split_first_chunk()?;
        self.0 = rest;
        Some([u64::from_le_bytes(*one), u64::from_le_bytes(*other)])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.0.len() / 16;
        (count, Some(count))
    }
}

impl ExactSizeIterator for Marks<'_> {}
