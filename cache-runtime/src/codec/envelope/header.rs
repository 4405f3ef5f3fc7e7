//! The fixed part of an envelope, and where each of its numbers is.

use super::{Damage, MOST, Section};

const MAGIC: [u8; 4] = *b"LRDR";
const VERSION: u16 = 2;

const CHECKSUM: usize = Header::LENGTH - 8;

/// What is known of a stored value without looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) codec: u8,
    pub(crate) compression: u8,
    /// The fingerprint of the value type's shape (K5).
    pub(crate) shape: [u8; 16],
    /// Whose clock the stamp was read from (V4). Without a stamp, which computation it is of.
    pub(crate) incarnation: [u8; 16],
    pub(crate) stamp: u64,
    /// Nanoseconds since the beginning of 1970, as `expires`.
    pub(crate) created: u64,
    /// `u64::MAX` if never.
    pub(crate) expires: u64,
    pub(crate) weight: u64,
    /// The payload's length when unpacked.
    pub(crate) unpacked: u32,
}

impl Header {
    /// What of an envelope says which computation it is of, and when it expires.
    #[cfg(feature = "redis")]
    pub(crate) const IDENTITY: std::ops::Range<usize> = 24..64;

    /// Reads that: `incarnation` and `expires`.
    #[cfg(feature = "redis")]
    pub(crate) fn identity(bytes: &[u8]) -> Option<([u8; 16], u64)> {
        let mut fields = Fields(bytes.get(..Self::IDENTITY.len())?);
        let (incarnation, [_stamp, _created, expires]) =
            (fields.take(), std::array::from_fn(|_| fields.long()));
        Some((incarnation, expires))
    }

    /// How many bytes it takes, the checksum at their end included.
    pub(crate) const LENGTH: usize = 104;
}

/// How long the parts behind the header are.
pub(super) struct Lengths {
    pub(super) names: usize,
    pub(super) files: usize,
    pub(super) key: usize,
    pub(super) payload: usize,
    pub(super) versions: usize,
}

impl Lengths {
    fn each(&self) -> [(Section, usize); 5] {
        [
            (Section::Names, self.names),
            (Section::Files, self.files),
            (Section::Key, self.key),
            (Section::Payload, self.payload),
            (Section::Versions, self.versions),
        ]
    }

    /// Of the whole envelope, if no part is too long.
    pub(super) fn total(&self) -> Result<usize, Damage> {
        let mut total = Header::LENGTH;
        for (section, length) in self.each() {
            if length > section.most() {
                return Err(Damage::TooLong(section));
            }
            // Five limits of a GiB at most can't overflow where a length has 32 bits or more.
            total = total.checked_add(length).ok_or(Damage::Oversized)?;
        }
        if total > MOST { Err(Damage::Oversized) } else { Ok(total) }
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<(Header, Lengths), Damage> {
    // Before the length is looked at: that of another version's header is another.
    let mut fields = Fields(bytes.get(..6).ok_or(Damage::Headless)?);
    if fields.take() != MAGIC {
        return Err(Damage::Foreign);
    }
    let version = u16::from_le_bytes(fields.take());
    if version != VERSION {
        return Err(Damage::Version(version));
    }
    let mut fields = Fields(bytes.get(6..Header::LENGTH).ok_or(Damage::Headless)?);
    let [codec, compression] = fields.take();
    let shape = fields.take();
    let incarnation = fields.take();
    let [stamp, created, expires, weight] = std::array::from_fn(|_| fields.long());
    let [names, files, key, payload, versions] = std::array::from_fn(|_| fields.length());
    let unpacked = u32::from_le_bytes(fields.take());
    if unpacked as usize > MOST {
        return Err(Damage::TooLong(Section::Payload));
    }
    let header = Header {
        codec,
        compression,
        shape,
        incarnation,
        stamp,
        created,
        expires,
        weight,
        unpacked,
    };
    Ok((header, Lengths { names, files, key, payload, versions }))
}

/// All of it but the checksum, for which room is left.
pub(super) fn write(header: &Header, lengths: &Lengths, out: &mut Vec<u8>) -> Result<(), Damage> {
    if header.unpacked as usize > MOST {
        return Err(Damage::TooLong(Section::Payload));
    }
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&[header.codec, header.compression]);
    out.extend_from_slice(&header.shape);
    out.extend_from_slice(&header.incarnation);
    for number in [header.stamp, header.created, header.expires, header.weight] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    for (section, length) in lengths.each() {
        let length = u32::try_from(length).map_err(|_| Damage::TooLong(section))?;
        out.extend_from_slice(&length.to_le_bytes());
    }
    out.extend_from_slice(&header.unpacked.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    Ok(())
}

/// The part that the checksum is not in.
pub(super) fn unsealed(head: &[u8]) -> &[u8] {
    &head[..CHECKSUM]
}

pub(super) fn checksum(head: &[u8]) -> u64 {
    Fields(&head[CHECKSUM..]).long()
}

pub(super) fn set_checksum(head: &mut [u8], checksum: u64) {
    head[CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
}

/// Numbers in a row, of which there are enough.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("a header is as long as its fields");
        self.0 = rest;
        *field
    }

    fn long(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn length(&mut self) -> usize {
        // Too long for this machine is too long for any part.
        usize::try_from(u32::from_le_bytes(self.take())).unwrap_or(usize::MAX)
    }
}
