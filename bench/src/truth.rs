//! What the measured functions compute, and how often they did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

static COMPUTED: AtomicU64 = AtomicU64::new(0);

/// How many bodies have run.
pub(crate) fn computed() -> u64 {
    COMPUTED.load(Relaxed)
}

/// Notes that a body runs, and gives its value.
pub(crate) fn compute<T>(value: T) -> T {
    COMPUTED.fetch_add(1, Relaxed);
    value
}

pub(crate) fn number(id: u64) -> u64 {
    id.rotate_left(17) ^ 0x5851_f42d_4c95_7f2d
}

pub(crate) fn string(id: &str) -> String {
    format!("profile of {id}")
}

/// Bytes that look like noise.
pub(crate) fn bytes<const LENGTH: usize>(id: u64) -> Vec<u8> {
    let mut bits = id | 1;
    let mut next = || {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        bits.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(LENGTH + 8);
    while bytes.len() < LENGTH {
        bytes.extend_from_slice(&next());
    }
    bytes.truncate(LENGTH);
    bytes
}

/// Text that looks like noise, of so many letters.
pub(crate) fn text<const LENGTH: usize>(id: u64) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    bytes::<LENGTH>(id).iter().map(|byte| char::from(LETTERS[usize::from(byte % 64)])).collect()
}

pub(crate) fn shared(id: &str) -> Arc<str> {
    Arc::from(string(id))
}
