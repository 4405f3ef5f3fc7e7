//! What invalidations name.

use crate::functions::{FUNCTIONS, Function, KEYS};
use larder::{Error, blocking};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Key(Function, u64),
    /// The tag of the keys with this remainder by three.
    Third(u64),
    /// Both tags: that of the remainder by three, and that of the one by two.
    ThirdAndHalf(u64, u64),
    /// All functions' keys of this number, by a pattern.
    Matching(u64),
    Function(Function),
    Everything,
}

impl Name {
    /// Whether it names a function's key itself, not what is called on the way.
    pub(crate) fn names(self, function: Function, key: u64) -> bool {
        let is_tagged = function.contains(key).is_none();
        match self {
            Self::Key(named, number) => (named, number) == (function, key),
            Self::Third(third) => is_tagged && key % 3 == third,
            Self::ThirdAndHalf(third, half) => is_tagged && (key % 3, key % 2) == (third, half),
            Self::Matching(number) => number == key,
            Self::Function(named) => named == function,
            Self::Everything => true,
        }
    }

    /// Whether it goes by the ledger, which has every process forget everything in memory.
    pub(crate) fn is_listed(self) -> bool {
        matches!(self, Self::ThirdAndHalf(..) | Self::Matching(_) | Self::Everything)
    }

    pub(crate) async fn invalidate(self) -> Result<(), Error> {
        match self {
            Self::Key(function, key) => function.invalidate(key).await,
            Self::Third(third) => larder::invalidate_tag(&format!("third:{third}")).await,
            Self::ThirdAndHalf(third, half) => {
                let tags = [format!("third:{third}"), format!("half:{half}")];
                blocking::invalidate_tagged_with_all(tags)
            }
            Self::Matching(key) => blocking::invalidate_pattern(format!("*:{key}")),
            Self::Function(function) => function.invalidate_all(),
            Self::Everything => larder::invalidate_all().await,
        }
    }

    /// A name by a number, for the journal.
    pub(crate) fn words(self) -> [u64; 3] {
        match self {
            Self::Key(function, key) => [0, function as u64, key],
            Self::Third(third) => [1, third, 0],
            Self::ThirdAndHalf(third, half) => [2, third, half],
            Self::Matching(key) => [3, key, 0],
            Self::Function(function) => [4, function as u64, 0],
            Self::Everything => [5, 0, 0],
        }
    }

    pub(crate) fn of_words([kind, one, other]: [u64; 3]) -> Self {
        match kind {
            0 => Self::Key(Function::by_number(one), other),
            1 => Self::Third(one),
            2 => Self::ThirdAndHalf(one, other),
            3 => Self::Matching(one),
            4 => Self::Function(Function::by_number(one)),
            _ => Self::Everything,
        }
    }

    pub(crate) fn random(random: &mut fastrand::Rng) -> Self {
        let key = random.u64(..KEYS);
        let function = FUNCTIONS[random.usize(..FUNCTIONS.len())];
        match random.u32(..100) {
            0..45 => Self::Key(function, key),
            45..85 => Self::Third(key % 3),
            85..87 => Self::ThirdAndHalf(key % 3, key % 2),
            87..89 => Self::Matching(key),
            89..99 => Self::Function(function),
            _ => Self::Everything,
        }
    }
}
