//! Fingerprints as bytes. What is damaged or foreign is not read; the order of bytes is little
//! endian.

use super::stat::{Identity, Timestamp};

/// Bytes yet to be read.
pub(super) struct Bytes<'a> {
    all: usize,
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { all: bytes.len(), rest: bytes }
    }

    pub(super) fn read(&self) -> usize {
        self.all - self.rest.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn timestamp(&mut self) -> Option<Timestamp> {
        let seconds = self.array().map(i64::from_le_bytes)?;
        let nanos = self.u32().filter(|nanos| *nanos < 1_000_000_000)?;
        Some(Timestamp { seconds, nanos })
    }

    pub(super) fn identity(&mut self) -> Option<Identity> {
        Some(Identity {
            device: self.u64()?,
            inode: self.u64()?,
            mode: self.u32()?,
            size: self.u64()?,
            modified: self.timestamp()?,
            changed: self.timestamp()?,
        })
    }
}

impl Timestamp {
    pub(super) fn bytes(self) -> [u8; 12] {
        joined(&[&self.seconds.to_le_bytes(), &self.nanos.to_le_bytes()])
    }
}

impl Identity {
    pub(super) fn bytes(&self) -> [u8; 52] {
        joined(&[
            &self.device.to_le_bytes(),
            &self.inode.to_le_bytes(),
            &self.mode.to_le_bytes(),
            &self.size.to_le_bytes(),
            &self.modified.bytes(),
            &self.changed.bytes(),
        ])
    }

    /// What is left of it when nothing in it counts.
    pub(super) fn place(&self) -> [u8; 20] {
        joined(&[&self.device.to_le_bytes(), &self.inode.to_le_bytes(), &self.mode.to_le_bytes()])
    }
}

fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    parts.concat().try_into().expect("the parts have fixed lengths, and N is their sum")
}
