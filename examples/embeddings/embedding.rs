//! Vectors of texts, computed once for each text.

use crate::settings::{self, ROOM, Settings};
use crate::vector::Vector;
use larder::cached;

/// Finds where a text lies.
///
/// Not one function with both tiers: what a value weighs is kept with it, and here it is for the
/// environment of each process to say.
#[cached(name = "embeddings", capacity = ROOM, weigh = weight)]
pub(crate) fn embedding(text: &str) -> Vector {
    if Settings::get().embeddings_on_disk { stored(text) } else { Vector::of(text) }
}

fn weight(_: &Vector) -> u64 {
    settings::weight(Settings::get().embeddings)
}

/// The same on disk.
///
/// Not compressed: each hit would have to unpack it, for a kilobyte and a half of disk. The vectors
/// of a trained model would hardly get smaller anyway: the last bits of their floats are noise.
///
/// Another way to embed is another `version`.
#[cached(name = "embeddings on disk", version = 1, tier = "l2", ttl = "30d", compress = "none")]
pub(crate) fn stored(text: &str) -> Vector {
    Vector::of(text)
}
