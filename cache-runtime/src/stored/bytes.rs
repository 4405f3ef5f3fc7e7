//! Values as bytes: encoded, compressed, and judged for whether they come back as they were.

use crate::codec::Format;
use crate::codec::compress::{self, Compress};
use crate::site::Site;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

pub(super) struct Bytes<V> {
    pub(super) format: Format<V>,
    compress: Compress,
    shape: OnceLock<[u8; 16]>,
    /// Whether one did not come back from its bytes.
    is_unfit: AtomicBool,
}

/// How a function's values are packed, by the word that its attribute has for it.
fn named(compress: &str) -> Compress {
    match compress {
        "lz4" => Compress::Lz4,
        #[cfg(feature = "zstd")]
        "zstd" => Compress::Zstd,
        "auto" => Compress::Auto,
        _ => Compress::None,
    }
}

/// A value as it goes into an envelope.
pub(crate) struct Packed {
    pub(crate) compression: u8,
    /// Its length before it was compressed.
    pub(crate) length: u32,
    pub(crate) payload: Vec<u8>,
}

impl<V> Bytes<V> {
    pub(super) fn new(format: Format<V>, site: &Site) -> Self {
        Self {
            format,
            compress: named(site.options.compress),
            shape: OnceLock::new(),
            is_unfit: AtomicBool::new(false),
        }
    }

    pub(super) fn shape(&self) -> &[u8; 16] {
        self.shape.get_or_init(|| self.format.shape().fingerprint)
    }

    /// Whether there are values of this type that don't come back from their bytes.
    pub(super) fn is_unfit(&self) -> bool {
        self.is_unfit.load(Relaxed)
    }

    /// The value in bytes. Nothing if it does not come back from them or can't be encoded; nor will
    /// there be anything for those after it.
    pub(super) fn pack(&self, value: &V, site: &Site) -> Option<Packed> {
        if self.is_unfit() {
            return None;
        }
        let packed = catch_unwind(AssertUnwindSafe(|| self.try_pack(value)));
        let fault = match packed {
            Ok(Ok(packed)) => return Some(packed),
            Ok(Err(fault)) => fault,
            Err(_) => "its `Serialize` or `Deserialize` panics".to_owned(),
        };
        if !self.is_unfit.swap(true, Relaxed) {
            log::warn!("values of `{}` stay in memory: {fault}", site.name());
        }
        None
    }

    fn try_pack(&self, value: &V) -> Result<Packed, String> {
        let mut plain = Vec::new();
        self.format.encode(value, &mut plain).map_err(|fault| fault.to_string())?;
        // Each of them: whether a field is written at all may depend on the value.
        self.format.check(value, &plain).map_err(|fault| fault.to_string())?;
        let length = u32::try_from(plain.len()).map_err(|_| "one is longer than 4 GiB")?;
        let (compression, payload) = self.compress.pack(plain);
        Ok(Packed { compression, length, payload })
    }

    /// The value that a payload was made of.
    pub(super) fn unpack(&self, compression: u8, length: u32, payload: &[u8]) -> Option<V> {
        catch_unwind(AssertUnwindSafe(|| {
            let length = usize::try_from(length).ok()?;
            let plain = compress::unpack(compression, payload, length).ok()?;
            self.format.decode(&plain).ok()
        }))
        .ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn each_word_chooses_the_way_of_packing_that_it_says() {
        let packed_by = |word: &str, length: usize| named(word).pack(vec![0; length]).0;
        assert_eq!(["none", "auto", "lz4"].map(|word| packed_by(word, 100)), [0, 0, 1]);
        assert_eq!(["none", "auto", "lz4"].map(|word| packed_by(word, 5_000)), [0, 1, 1]);
        #[cfg(feature = "zstd")]
        assert_eq!([100, 5_000].map(|length| packed_by("zstd", length)), [2, 2]);
    }
}
