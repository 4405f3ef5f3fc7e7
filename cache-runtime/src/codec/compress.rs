//! Payloads made shorter.
//!
//! 1. What doesn't get shorter is stored as it is.
//! 2. Unpacking allocates the announced length and no more, and only if that length is one that the
//!    packed bytes could have come from.
//! 3. What is unpacked has exactly the announced length.

use super::MOST;
use super::fault::Fault;
use lz4_flex::block;
use std::borrow::Cow;
#[cfg(feature = "zstd")]
use zstd::bulk;

/// How a function's payloads are packed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compress {
    /// Not at all.
    None,
    /// By LZ4, whatever the length.
    Lz4,
    /// By Zstandard, whatever the length.
    #[cfg(feature = "zstd")]
    Zstd,
    /// By LZ4, if long and if it saves enough to be worth unpacking.
    Auto,
}

const PLAIN: u8 = 0;
const LZ4: u8 = 1;
#[cfg(feature = "zstd")]
const ZSTD: u8 = 2;

/// From here on `Auto` tries.
const LONG: usize = 1_024;

/// One byte of LZ4 lengthens a run by at most this.
const LZ4_RATIO: usize = 255;

/// A block of Zstandard is at least four bytes, and at most 128 KiB when unpacked.
#[cfg(feature = "zstd")]
const ZSTD_RATIO: usize = (128 << 10) / 4;

impl Compress {
    /// The packed payload, and by what it is packed.
    pub(crate) fn pack(self, payload: Vec<u8>) -> (u8, Vec<u8>) {
        // Too long to be stored in any case.
        if payload.len() > MOST {
            return (PLAIN, payload);
        }
        let (id, packed) = match self {
            Self::None => return (PLAIN, payload),
            Self::Auto if payload.len() < LONG => return (PLAIN, payload),
            Self::Lz4 | Self::Auto => (LZ4, Some(block::compress(&payload))),
            #[cfg(feature = "zstd")]
            Self::Zstd => (ZSTD, bulk::compress(&payload, zstd::DEFAULT_COMPRESSION_LEVEL).ok()),
        };
        let enough = match self {
            Self::Auto => payload.len() - payload.len() / 8,
            _ => payload.len().saturating_sub(1),
        };
        match packed {
            Some(packed) if packed.len() <= enough => (id, packed),
            _ => (PLAIN, payload),
        }
    }
}

/// The payload of `length` bytes that was packed by what `id` says.
pub(crate) fn unpack(id: u8, packed: &[u8], length: usize) -> Result<Cow<'_, [u8]>, Fault> {
    match id {
        PLAIN if packed.len() == length => Ok(Cow::Borrowed(packed)),
        PLAIN => Err(Fault::Uncompressible("another length than announced")),
        LZ4 => {
            let mut payload = vec![0; possible(packed, length, LZ4_RATIO)?];
            let unpacked = block::decompress_into(packed, &mut payload).ok();
            whole(payload, unpacked)
        }
        #[cfg(feature = "zstd")]
        ZSTD => {
            let mut payload = vec![0; possible(packed, length, ZSTD_RATIO)?];
            let unpacked = bulk::decompress_to_buffer(packed, &mut payload).ok();
            whole(payload, unpacked)
        }
        unknown => Err(Fault::UnknownCompression(unknown)),
    }
}

/// The announced length, if so few bytes can be unpacked to so many.
fn possible(packed: &[u8], length: usize, ratio: usize) -> Result<usize, Fault> {
    if length <= MOST && length <= packed.len().saturating_mul(ratio) {
        Ok(length)
    } else {
        Err(Fault::Uncompressible("an impossible length"))
    }
}

fn whole(payload: Vec<u8>, unpacked: Option<usize>) -> Result<Cow<'static, [u8]>, Fault> {
    match unpacked {
        Some(length) if length == payload.len() => Ok(Cow::Owned(payload)),
        Some(_) => Err(Fault::Uncompressible("another length than announced")),
        None => Err(Fault::Uncompressible("not what was packed")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Compress, Fault, MOST, unpack};

    const ALL: &[Compress] = &[
        Compress::None,
        Compress::Lz4,
        #[cfg(feature = "zstd")]
        Compress::Zstd,
        Compress::Auto,
    ];

    fn noise(length: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(7);
        std::iter::repeat_with(|| random.u8(..)).take(length).collect()
    }

    fn text(length: usize) -> Vec<u8> {
        b"the quick brown fox ".iter().copied().cycle().take(length).collect()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        for compress in ALL {
            for payload in [vec![], vec![0], text(100), text(100_000), noise(3), noise(5_000)] {
                let (id, packed) = compress.pack(payload.clone());
                assert!(packed.len() <= payload.len(), "{compress:?} makes it longer");
                assert_eq!(*unpack(id, &packed, payload.len()).unwrap(), payload, "{compress:?}");
            }
        }
    }

    #[test]
    fn each_way_of_packing_has_its_number() {
        let ids: Vec<_> = ALL.iter().map(|compress| compress.pack(text(5_000)).0).collect();
        let expected: &[u8] = if cfg!(feature = "zstd") { &[0, 1, 2, 1] } else { &[0, 1, 1] };
        assert_eq!(ids, expected);
    }

    #[test]
    fn what_does_not_get_shorter_stays_as_it_is() {
        for compress in ALL {
            assert_eq!(compress.pack(noise(5_000)), (0, noise(5_000)), "{compress:?}");
            assert_eq!(compress.pack(vec![]), (0, vec![]), "{compress:?}");
        }
    }

    #[test]
    fn auto_leaves_alone_what_is_short_or_saves_little() {
        assert_eq!(Compress::Auto.pack(text(1_023)).0, 0);
        assert_eq!(Compress::Auto.pack(text(1_024)).0, 1);
        // A tenth of it can be saved: enough for who asks, not for who doesn't.
        let little = [noise(9_000), text(1_000)].concat();
        assert_eq!(Compress::Auto.pack(little.clone()).0, 0);
        assert_eq!(Compress::Lz4.pack(little).0, 1);
        let more = [noise(9_000), text(2_000)].concat();
        assert_eq!(Compress::Auto.pack(more).0, 1);
    }

    #[test]
    fn another_length_than_the_real_one_is_a_fault() {
        for compress in ALL {
            let (id, packed) = compress.pack(text(5_000));
            for length in [0, 1, 4_999, 5_001, 6_000, MOST + 1, usize::MAX] {
                let unpacked = unpack(id, &packed, length);
                assert!(matches!(unpacked, Err(Fault::Uncompressible(_))), "{compress:?} {length}");
            }
        }
    }

    #[test]
    fn a_way_of_packing_that_is_not_known_is_a_fault() {
        assert_eq!(unpack(77, b"abc", 3), Err(Fault::UnknownCompression(77)));
        if !cfg!(feature = "zstd") {
            assert_eq!(unpack(2, b"abc", 3), Err(Fault::UnknownCompression(2)));
        }
    }

    #[test]
    fn an_impossible_length_is_refused_before_anything_is_allocated() {
        for (id, ratio) in [(1, 255), (2, 32_768)] {
            let info = allocation_counter::measure(|| {
                assert!(unpack(id, b"ab", 2 * ratio + 1).is_err());
                assert!(unpack(id, &[0; 100], usize::MAX).is_err());
            });
            assert_eq!(info.bytes_total, 0);
        }
    }

    #[test]
    fn unpacking_allocates_the_announced_length_and_no_more() {
        let (id, packed) = Compress::Lz4.pack(text(100_000));
        for length in [100_000, 1_000] {
            let info = allocation_counter::measure(|| drop(unpack(id, &packed, length)));
            assert_eq!(info.bytes_total, length as u64);
        }
    }

    #[test]
    fn the_best_that_can_be_packed_is_not_taken_for_impossible() {
        for compress in ALL {
            let payload = vec![0; 10 << 20];
            let (id, packed) = compress.pack(payload.clone());
            assert_eq!(*unpack(id, &packed, payload.len()).unwrap(), payload, "{compress:?}");
        }
    }

    #[test]
    fn no_bytes_make_unpacking_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        for compress in ALL {
            let payload = [text(300), noise(100)].concat();
            let (id, packed) = compress.pack(payload.clone());
            for _ in 0..5_000 {
                let mut changed = packed.clone();
                for _ in 0..random.u8(1..4) {
                    let at = random.usize(..changed.len());
                    changed[at] ^= 1 << random.u8(..8);
                }
                changed.truncate(random.usize(1..=2 * changed.len()));
                if let Ok(unpacked) = unpack(id, &changed, payload.len()) {
                    assert_eq!(unpacked.len(), payload.len());
                }
            }
        }
    }
}
