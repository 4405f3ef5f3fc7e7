//! A part of a value's life, by what a call would do.

use larder::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Fresh,
    Refresh,
    Stale,
    Grace,
    Expired,
}

impl Phase {
    pub(crate) fn of(state: State) -> Self {
        match state {
            State::Fresh { is_due: true, .. } => Self::Refresh,
            State::Fresh { .. } => Self::Fresh,
            State::Stale { .. } => Self::Stale,
            State::Grace { .. } => Self::Grace,
            _ => Self::Expired,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Refresh => "refresh",
            Self::Stale => "stale",
            Self::Grace => "grace",
            Self::Expired => "expired",
        }
    }

    /// What a call gets, in lines.
    pub(crate) fn says(self) -> [&'static str; 3] {
        match self {
            Self::Fresh => ["a hit", "", ""],
            Self::Refresh => ["a hit; one has", "another computed", "in the background"],
            Self::Stale => ["one call computes,", "others are served", "this one meanwhile"],
            Self::Grace => ["calls compute, and", "are served this one", "if that fails"],
            Self::Expired => ["calls compute", "", ""],
        }
    }

    pub(crate) fn colour(self) -> &'static str {
        match self {
            Self::Fresh => "#1f6b41",
            Self::Refresh => "#3f7a1c",
            Self::Stale => "#8a6100",
            Self::Grace => "#a04a0e",
            Self::Expired => "#5f5f5f",
        }
    }
}
