//! What the keys of a namespace are called.
//!
//! Braces stand around what decides the slot in a cluster, so a value, its lease and the version of
//! its key are in one.

use super::planted::{self, Bug};
use crate::mark::Mark;

/// The longest that a name is behind the prefix: that of a value.
const LONGEST: usize = 53;

/// One value, as it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The mark of its key.
    pub(crate) mark: Mark,
    /// Tells apart what has one mark: functions of other versions and values of other shapes.
    pub(crate) id: u64,
}

/// What a key of the namespace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Named {
    Value { mark: Mark, id: u64 },
    Lease { mark: Mark, id: u64 },
    Version(Mark),
    Ledger,
}

/// The names of one namespace.
#[derive(Debug)]
pub(super) struct Names {
    prefix: Vec<u8>,
}

impl Names {
    pub(super) fn new(namespace: &str) -> Self {
        Self { prefix: format!("larder:{namespace}:").into_bytes() }
    }

    pub(super) fn value(&self, &Place { mark, id }: &Place) -> Vec<u8> {
        self.of(Named::Value { mark, id })
    }

    pub(super) fn lease(&self, &Place { mark, id }: &Place) -> Vec<u8> {
        self.of(Named::Lease { mark, id })
    }

    pub(super) fn version(&self, mark: Mark) -> Vec<u8> {
        self.of(Named::Version(mark))
    }

    /// Where the ledger stands.
    pub(super) fn ledger(&self) -> Vec<u8> {
        self.of(Named::Ledger)
    }

    /// Its last entries.
    pub(super) fn recent(&self) -> Vec<u8> {
        let mut name = self.ledger();
        name.extend_from_slice(b":recent");
        name
    }

    /// What is removed with whatever is invalidated by its marks.
    pub(super) fn generation(&self) -> Vec<u8> {
        let mut name = self.ledger();
        name.extend_from_slice(b":generation");
        name
    }

    /// What is written to see whether it still may be.
    pub(super) fn heartbeat(&self) -> Vec<u8> {
        [&self.prefix[..], b"heartbeat"].concat()
    }

    /// What something is called.
    pub(super) fn of(&self, named: Named) -> Vec<u8> {
        let mut name = Vec::with_capacity(self.longest());
        self.write(named, &mut name);
        name
    }

    /// No name is longer.
    pub(super) fn longest(&self) -> usize {
        self.prefix.len() + LONGEST
    }

    /// Writes what something is called behind what is there.
    pub(super) fn write(&self, named: Named, name: &mut Vec<u8>) {
        name.extend_from_slice(&self.prefix);
        match named {
            Named::Lease { mark, id } if !planted::is(Bug::LeaseInTheValuesKey) => {
                placed(name, b"l:", mark, id);
            }
            Named::Value { mark, id } | Named::Lease { mark, id } => placed(name, b"v:", mark, id),
            Named::Version(mark) => {
                name.extend_from_slice(b"t:");
                braced(name, mark);
            }
            Named::Ledger => name.extend_from_slice(b"{ledger}"),
        }
    }

    /// What a key is, if it is one of these.
    pub(super) fn parse(&self, key: &[u8]) -> Option<Named> {
        let name = key.strip_prefix(&self.prefix[..])?;
        if name == b"{ledger}" {
            return Some(Named::Ledger);
        }
        let (kind, rest) = name.split_at_checked(2)?;
        let (mark, rest) = rest.strip_prefix(b"{")?.split_at_checked(32)?;
        let (first, second) = mark.split_at(16);
        let mark = Mark::from_words([unhex(first)?, unhex(second)?]);
        let id = || rest.strip_prefix(b"}:").and_then(|id| id.get(..16)).and_then(unhex);
        match kind {
            b"t:" => (rest == b"}").then_some(Named::Version(mark)),
            b"v:" => id().map(|id| Named::Value { mark, id }),
            b"l:" => id().map(|id| Named::Lease { mark, id }),
            _ => None,
        }
    }
}

fn placed(name: &mut Vec<u8>, kind: &[u8], mark: Mark, id: u64) {
    name.extend_from_slice(kind);
    braced(name, mark);
    name.push(b':');
    hex(name, id);
}

fn braced(name: &mut Vec<u8>, mark: Mark) {
    name.push(b'{');
    mark.words().into_iter().for_each(|word| hex(name, word));
    name.push(b'}');
}

fn hex(name: &mut Vec<u8>, word: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 16];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(word.to_be_bytes()) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    name.extend_from_slice(&digits);
}

fn unhex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Named, Names, Place};
    use crate::mark::Mark;

    #[test]
    fn a_name_says_what_it_is_of() {
        let names = Names::new("shop");
        let mark = Mark::tag("user:7");
        let place = Place { mark, id: 0xf00 };
        let value = names.value(&place);
        assert!(value.starts_with(b"larder:shop:v:{") && value.ends_with(b"}:0000000000000f00"));
        assert_eq!(value.len(), names.prefix.len() + super::LONGEST);
        assert_eq!(names.parse(&value), Some(Named::Value { mark, id: 0xf00 }));
        assert_eq!(names.parse(&names.lease(&place)), Some(Named::Lease { mark, id: 0xf00 }));
        assert_eq!(names.parse(&names.version(mark)), Some(Named::Version(mark)));
        assert_eq!(names.parse(&names.ledger()), Some(Named::Ledger));
        assert_eq!(names.heartbeat(), b"larder:shop:heartbeat");
        assert_eq!(names.parse(&names.heartbeat()), None, "it says nothing");
        assert_eq!(names.parse(&names.generation()), None, "nobody waits for its end");
        let id = 0xf00;
        let all = [Named::Value { mark, id }, Named::Lease { mark, id }, Named::Version(mark)];
        for named in all.into_iter().chain([Named::Ledger]) {
            assert_eq!(names.parse(&names.of(named)), Some(named));
        }
    }

    #[test]
    fn what_others_call_theirs_is_no_name() {
        let names = Names::new("shop");
        let other = Names::new("shop2").version(Mark::tag("a"));
        for key in
            [&other[..], b"", b"larder:shop:", b"larder:shop:t:{12}", b"larder:shop:x:{", b"a"]
        {
            assert_eq!(names.parse(key), None, "{}", String::from_utf8_lossy(key));
        }
    }
}
