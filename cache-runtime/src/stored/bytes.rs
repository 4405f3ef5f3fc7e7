//! Values as bytes: encoded, compressed, and judged for whether they come back as they were.

use crate::codec::Format;
use crate::codec::compress::{self, Compress};
use crate::site::Site;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

pub(super) struct Bytes<V> {
    pub(super) format: Format<V>,
    compress: Compress,
    shape: OnceLock<[u8; 16]>,
    fitness: AtomicU8,
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

const UNKNOWN: u8 = 0;
const FIT: u8 = 1;
const UNFIT: u8 = 2;

/// A value as it goes into an envelope.
pub(super) struct Packed {
    pub(super) compression: u8,
    /// Its length before it was compressed.
    pub(super) length: u32,
    pub(super) payload: Vec<u8>,
}

impl<V> Bytes<V> {
    pub(super) fn new(format: Format<V>, site: &Site) -> Self {
        Self {
            format,
            compress: named(site.options.compress),
            shape: OnceLock::new(),
            fitness: AtomicU8::new(UNKNOWN),
        }
    }

    pub(super) fn shape(&self) -> &[u8; 16] {
        self.shape.get_or_init(|| self.format.shape().fingerprint)
    }

    /// Whether values of this type are known not to come back from their bytes.
    pub(super) fn is_unfit(&self) -> bool {
        self.fitness.load(Relaxed) == UNFIT
    }

    /// The value in bytes. Nothing if it does not come back from them, which is looked at the first
    /// time, or if it can't be encoded.
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
        if self.fitness.swap(UNFIT, Relaxed) != UNFIT {
            log::warn!("values of `{}` stay in memory: {fault}", site.name());
        }
        None
    }

    fn try_pack(&self, value: &V) -> Result<Packed, String> {
        if self.fitness.load(Relaxed) == UNKNOWN {
            self.format.check(value).map_err(|fault| fault.to_string())?;
            // Relaxed: the worst is that another caller checks as well.
            self.fitness.store(FIT, Relaxed);
        }
        let mut plain = Vec::new();
        self.format.encode(value, &mut plain).map_err(|fault| fault.to_string())?;
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
