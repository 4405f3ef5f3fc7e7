//! What a tier of bytes stores: a value's payload with all that decides whether it may be served.
//!
//! It knows neither codecs nor clocks: numbers and bytes go in, and come out as they were.
//!
//! 1. Nothing is given out before magic, version, lengths, checksum and names are found good.
//! 2. Parsing allocates nothing, and believes no length that the input doesn't bear out.
//! 3. For each content there is one envelope: what is parsed and written again is the same bytes.
//! 4. The bytes of a version never change: one envelope of each is kept beside this file's folder.

mod header;
mod names;
#[cfg(test)]
mod tests;

pub(crate) use header::Header;
pub(crate) use names::{Group, Groups};

use super::MOST;
use header::Lengths;
use std::fmt;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// An envelope, parsed or about to be written. `N` is what its names come from.
#[derive(Clone, Debug)]
pub(crate) struct Envelope<'a, N = Groups<'a>> {
    pub(crate) header: Header,
    /// The names it depends on, each group with the readable key that patterns know it by.
    pub(crate) names: N,
    /// What it depends on of the file system.
    pub(crate) files: &'a [u8],
    /// The canonical key.
    pub(crate) key: &'a [u8],
    /// The value, encoded and packed.
    pub(crate) payload: &'a [u8],
    /// What it is valid under in the tier that is shared by machines, if it is meant for that.
    pub(crate) versions: &'a [u8],
}

/// A part of an envelope behind its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Names,
    Files,
    Key,
    Payload,
    Versions,
}

impl Section {
    /// The longest that it may be.
    const fn most(self) -> usize {
        match self {
            Self::Names | Self::Versions => 4 << 20,
            Self::Files | Self::Key => 16 << 20,
            Self::Payload => MOST,
        }
    }
}

/// Why bytes are no envelope, or content can't be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Not made by this program, or torn from its beginning.
    Foreign,
    /// Of another version of the format.
    Version(u16),
    /// Shorter than `Header::LENGTH`.
    Headless,
    /// A part is longer than it may be.
    TooLong(Section),
    /// All parts together are.
    Oversized,
    /// Its parts are not as long as it is.
    Length,
    /// Some byte is not what was written.
    Checksum,
    /// Its names are not well formed.
    Names,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("not an envelope"),
            Self::Version(version) => write!(f, "an envelope of version {version}"),
            Self::Headless => f.write_str("shorter than a header"),
            Self::TooLong(section) => write!(f, "its {section:?} is too long"),
            Self::Oversized => f.write_str("longer than 1 GiB"),
            Self::Length => f.write_str("cut, or followed by something"),
            Self::Checksum => f.write_str("its checksum is another"),
            Self::Names => f.write_str("its names are malformed"),
        }
    }
}

impl std::error::Error for Damage {}

/// The names at the beginning of an envelope.
#[cfg(any(test, fuzzing, feature = "disk"))]
#[derive(Clone, Debug)]
pub(crate) enum Head<'a> {
    /// All of them.
    Whole(Groups<'a>),
    /// They end after this many bytes of the envelope, which the prefix doesn't have.
    Longer(usize),
}

impl<'a> Envelope<'a> {
    /// Takes an envelope apart, once it is found to be whole and unchanged.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Damage> {
        let (header, lengths) = header::read(bytes)?;
        if bytes.len() != lengths.total()? {
            return Err(Damage::Length);
        }
        let (head, body) = bytes.split_at(Header::LENGTH);
        if header::checksum(head) != checksum(head, body) {
            return Err(Damage::Checksum);
        }
        let (names, rest) = body.split_at(lengths.names);
        let (files, rest) = rest.split_at(lengths.files);
        let (key, rest) = rest.split_at(lengths.key);
        let (payload, versions) = rest.split_at(lengths.payload);
        Ok(Self { header, names: Groups::parse(names)?, files, key, payload, versions })
    }
}

/// Reads an envelope's beginning: at least a header, at best up to where the names end.
///
/// There is nothing to compare the checksum with, so this is for what may be wrong, such as which of
/// many entries to look at. A prefix that is too short for a header is `Damage::Headless`.
#[cfg(any(test, fuzzing, feature = "disk"))]
pub(crate) fn parse_head(prefix: &[u8]) -> Result<(Header, Head<'_>), Damage> {
    let (header, lengths) = header::read(prefix)?;
    lengths.total()?;
    let end = Header::LENGTH + lengths.names;
    let names = match prefix.get(Header::LENGTH..end) {
        Some(names) => Head::Whole(Groups::parse(names)?),
        None => Head::Longer(end),
    };
    Ok((header, names))
}

impl<'g, N, M> Envelope<'_, N>
where
    N: IntoIterator<Item = Group<'g, M>> + Clone,
    M: ExactSizeIterator<Item = [u64; 2]>,
{
    /// The bytes, in one allocation. The names are gone through twice.
    pub(crate) fn write(&self) -> Result<Vec<u8>, Damage> {
        let names = self.names.clone().into_iter().map(|group| group.len()).sum();
        let lengths = Lengths {
            names,
            files: self.files.len(),
            key: self.key.len(),
            payload: self.payload.len(),
            versions: self.versions.len(),
        };
        let total = lengths.total()?;
        let mut out = Vec::with_capacity(total);
        header::write(&self.header, &lengths, &mut out)?;
        self.names.clone().into_iter().for_each(|group| group.write(&mut out));
        out.extend_from_slice(self.files);
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.payload);
        out.extend_from_slice(self.versions);
        if out.len() != total {
            return Err(Damage::Names);
        }
        seal(&mut out);
        Ok(out)
    }
}

/// Puts the checksum where it belongs.
fn seal(envelope: &mut [u8]) {
    let (head, body) = envelope.split_at_mut(Header::LENGTH);
    let checksum = checksum(head, body);
    header::set_checksum(head, checksum);
}

/// Over everything else: that of the header is what the rest is hashed with.
fn checksum(head: &[u8], body: &[u8]) -> u64 {
    xxh3_64_with_seed(body, xxh3_64(header::unsealed(head)))
}

/// What must hold of any bytes whatever: nothing panics, and what parses is written as it was, also
/// when its checksum is made to fit.
#[cfg(any(test, fuzzing))]
pub(crate) fn try_any(bytes: &[u8]) {
    let whole = Envelope::parse(bytes);
    if let Ok(envelope) = &whole {
        envelope.names.clone().for_each(|group| group.marks.for_each(drop));
        assert_eq!(envelope.write().as_deref(), Ok(bytes), "another envelope of the same content");
    }
    match parse_head(bytes) {
        Ok((_, Head::Longer(needed))) => assert!(needed > bytes.len() && whole.is_err()),
        Ok((header, Head::Whole(names))) => {
            let count = names.map(|group| group.marks.len()).sum::<usize>();
            assert!(count * 16 <= bytes.len());
            assert!(whole.is_err() || whole.is_ok_and(|whole| whole.header == header));
        }
        Err(_) => assert!(whole.is_err(), "only the whole is well formed"),
    }
}

/// The same bytes with a checksum that fits, if they are long enough to have one.
#[cfg(any(test, fuzzing))]
pub(crate) fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes.len() >= Header::LENGTH {
        seal(&mut bytes);
    }
    bytes
}
