//! A part of a value's life, by what a call would do.

use larder::{FunctionOptions, State};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Fresh,
    Refresh,
    Stale,
    Grace,
    Expired,
}

impl Phase {
    pub(crate) fn of(state: &State, options: &FunctionOptions) -> Self {
        match state {
            State::Fresh { left: Some(left), .. } if is_near_end(*left, options) => Self::Refresh,
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
            Self::Fresh => "#2e8b57",
            Self::Refresh => "#7ab648",
            Self::Stale => "#e0a526",
            Self::Grace => "#d2691e",
            Self::Expired => "#9a9a9a",
        }
    }
}

fn is_near_end(left: Duration, options: &FunctionOptions) -> bool {
    options.refresh.is_some_and(|distance| left <= distance)
}
