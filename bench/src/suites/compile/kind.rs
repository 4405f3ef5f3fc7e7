//! Who is built.

/// How functions are cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Larder,
    Cached,
    Bare,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Larder => "larder",
            Self::Cached => "cached",
            Self::Bare => "bare",
        }
    }
}
