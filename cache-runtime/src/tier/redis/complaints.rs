//! What is wrong with a server: said in the log once, until that may have changed.

use super::server::{Refusal, Reply};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// It is not asked for a while.
    Silent,
    Full,
    Forbidden,
    ReadOnly,
    Foreign,
    /// An entry is none.
    Damaged,
}

/// Those that have been said.
#[derive(Debug, Default)]
pub(super) struct Complaints(AtomicU8);

impl Complaints {
    /// Says it, unless it has been said.
    pub(super) fn say(&self, what: Complaint, place: impl FnOnce() -> String) {
        // Most look at nothing but this.
        if self.0.load(Relaxed) & what.bit() == 0
            && self.0.fetch_or(what.bit(), Relaxed) & what.bit() == 0
        {
            log::warn!("the Redis tier at {}: {}", place(), what.said());
        }
    }

    /// Says of each kind of refusal among the replies that there is one.
    pub(super) fn say_refused(&self, replies: &[Reply], place: impl Fn() -> String) {
        for reply in replies {
            if let Reply::Refused(refusal) = reply
                && let Some(what) = Complaint::of(refusal)
            {
                self.say(what, &place);
            }
        }
    }

    /// Takes note that one is over. True if it had been said.
    pub(super) fn withdraw(&self, what: Complaint) -> bool {
        self.0.fetch_and(!what.bit(), Relaxed) & what.bit() != 0
    }

    /// Takes note that the server may be another.
    pub(super) fn forget(&self) {
        self.0.store(0, Relaxed);
    }
}

impl Complaint {
    fn of(refusal: &Refusal) -> Option<Self> {
        match refusal {
            Refusal::Full => Some(Self::Full),
            Refusal::Forbidden => Some(Self::Forbidden),
            Refusal::ReadOnly => Some(Self::ReadOnly),
            Refusal::Other => Some(Self::Foreign),
            // It says where to go.
            Refusal::Moved(_) | Refusal::Ask(_) => None,
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    fn said(self) -> &'static str {
        match self {
            Self::Silent => "it does not answer in time, and is not asked for a while",
            Self::Full => "it has no room, so that nothing is stored",
            Self::Forbidden => "its user may not do what is needed",
            Self::ReadOnly => "it only reads, so that nothing is stored",
            Self::Foreign => "it refuses, or answers what makes no sense",
            Self::Damaged => "an entry can't be read, and is computed anew",
        }
    }
}
