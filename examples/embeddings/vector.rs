//! Text as a point in space: texts that share words, or pieces of words, lie close together.
//!
//! Feature hashing (Weinberger et al., 2009) of words, pairs of words and pieces of words: a hash
//! says which of the dimensions a feature counts in, and with which sign, so that features that meet
//! in one dimension cancel out on average. Nothing is learned, nothing is random.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) const DIMENSIONS: usize = 384;

/// In how many dimensions each feature counts.
const PLACES: u64 = 4;

/// How many letters a piece of a word has.
const PIECES: std::ops::RangeInclusive<usize> = 3..=5;

/// A direction: its length is one, or nothing if there was no word in the text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<f32>", into = "Vec<f32>")]
pub(crate) struct Vector(Arc<[f32]>);

impl From<Vec<f32>> for Vector {
    fn from(floats: Vec<f32>) -> Self {
        Self(floats.into())
    }
}

impl From<Vector> for Vec<f32> {
    fn from(vector: Vector) -> Self {
        vector.0.to_vec()
    }
}

impl Vector {
    /// Where a text lies.
    pub(crate) fn of(text: &str) -> Self {
        let mut features = Features::default();
        let text = text.to_lowercase();
        let words: Vec<_> = text.split(|it: char| !it.is_alphanumeric()).collect();
        let words: Vec<_> = words.into_iter().filter(|it| !it.is_empty()).collect();
        for word in &words {
            features.add(Kind::Word, word);
            features.add_pieces(word);
        }
        for pair in words.windows(2) {
            features.add(Kind::Pair, &pair.join(" "));
        }
        features.direction()
    }

    /// How alike two texts are: 1 for the same words, about 0 for none in common.
    pub(crate) fn similarity(&self, other: &Self) -> f32 {
        self.0.iter().zip(&*other.0).map(|(one, other)| one * other).sum()
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Word,
    Pair,
    Piece,
}

impl Kind {
    fn weight(self) -> f32 {
        match self {
            Self::Word => 1.0,
            Self::Pair => 0.7,
            // A word has many.
            Self::Piece => 0.3,
        }
    }
}

/// How often each feature occurs, by its hash. In order, so that sums round the same everywhere.
#[derive(Default)]
struct Features(BTreeMap<u64, (f32, f32)>);

impl Features {
    fn add(&mut self, kind: Kind, text: &str) {
        let times = &mut self.0.entry(hash(kind, text)).or_insert((kind.weight(), 0.0)).1;
        *times += 1.0;
    }

    fn add_pieces(&mut self, word: &str) {
        let bounded: Vec<_> = format!("<{word}>").chars().collect();
        for letters in PIECES {
            for piece in bounded.windows(letters) {
                self.add(Kind::Piece, &piece.iter().collect::<String>());
            }
        }
    }

    fn direction(&self) -> Vector {
        let mut sums = vec![0.0_f32; DIMENSIONS];
        for (hash, (weight, times)) in &self.0 {
            for place in 0..PLACES {
                let drawn = mixed(hash.wrapping_add(place));
                let at = usize::try_from(drawn % DIMENSIONS as u64).expect("less than 384");
                let sign = if drawn >> 63 == 0 { 1.0 } else { -1.0 };
                // The root: a word said ten times does not say ten times as much.
                sums[at] += sign * weight * times.sqrt();
            }
        }
        let length = sums.iter().map(|it| it * it).sum::<f32>().sqrt();
        if length > 0.0 {
            for sum in &mut sums {
                *sum /= length;
            }
        }
        sums.into()
    }
}

/// FNV-1a, with the kind in front.
fn hash(kind: Kind, text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    text.bytes().fold(step(0xCBF2_9CE4_8422_2325, kind as u8), step)
}

/// Spreads a hash over all bits: the finalizer of `SplitMix64`.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}
