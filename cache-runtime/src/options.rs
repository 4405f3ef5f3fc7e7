//! What a call may do with the cache, where that is said around it.

use crate::error::Level;
use std::time::Duration;

/// What calls may do with the cache, said around them: with [`with`](crate::with) for a closure, with
/// [`scope`](crate::scope) for a future, or with the companion, `f::with(options, arguments)`.
///
/// They are for the calls that are made there, not for what those call in turn to compute a value. Where
/// some are said inside of others, both count: what is forbidden by either is forbidden, of the times to
/// live the inner one holds.
///
/// ```
/// use larder::Options;
///
/// #[larder::cached]
/// fn square(number: u64) -> u64 {
///     number * number
/// }
///
/// assert_eq!(larder::with(Options::new().skip_write(), || square(3)), 9);
/// assert_eq!(square::peek(3), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    reads: Reads,
    writes: Writes,
    /// By tier, from the nearest on.
    left_out: [bool; 3],
    ttl: Option<Duration>,
}

/// From the one that allows most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Reads {
    #[default]
    All,
    Nothing,
    /// There is to be nothing to read.
    Forget,
}

/// From the one that allows most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Writes {
    #[default]
    All,
    /// What was found in one tier goes to those nearer, what is computed to none.
    Found,
    Nothing,
}

/// How a call that looks at nothing goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Beside what is cached and in flight.
    Past,
    /// Once that is invalidated.
    Forgetting,
}

impl Options {
    /// Allows everything, and changes nothing.
    pub const fn new() -> Self {
        Self { reads: Reads::All, writes: Writes::All, left_out: [false; 3], ttl: None }
    }

    /// Computes whatever is cached or in flight, and stores what comes out. Others are served what was
    /// there until then, and so are other processes that have it in memory until they are told.
    #[must_use]
    pub fn skip_read(mut self) -> Self {
        self.reads = self.reads.max(Reads::Nothing);
        self
    }

    /// Invalidates the call's entry first, in every tier and process, and then calls: nobody is served
    /// what was there before, whatever comes of the computation. Where nothing may be written, it is the
    /// same as [`skip_read`](Self::skip_read).
    #[must_use]
    pub fn force(mut self) -> Self {
        self.reads = Reads::Forget;
        self
    }

    /// Keeps what is computed in no tier. What is found in one is still kept in those nearer.
    #[must_use]
    pub fn skip_write(mut self) -> Self {
        self.writes = self.writes.max(Writes::Found);
        self
    }

    /// Leaves every tier as it is: what is computed or found is kept in none.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.writes = Writes::Nothing;
        self
    }

    /// Reads and writes these tiers alone, of those that the function has. Without L3, what a function
    /// with it computes is kept nowhere, and not for calls that ask there: this process would not hear of its
    /// end.
    #[must_use]
    pub fn tiers(mut self, tiers: impl IntoIterator<Item = Level>) -> Self {
        let mut left_out = [true; 3];
        tiers.into_iter().for_each(|tier| left_out[tier as usize] = false);
        for (out, now) in self.left_out.iter_mut().zip(left_out) {
            *out |= now;
        }
        self
    }

    /// How long what is computed is fresh, instead of what `ttl` and `ttl_for` say. A tier for which the
    /// attribute names a shorter time of its own keeps to that, and a negative value to `negative`.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// These inside of others.
    pub(crate) fn inside(self, outer: Self) -> Self {
        let mut left_out = self.left_out;
        left_out.iter_mut().zip(outer.left_out).for_each(|(out, outer)| *out |= outer);
        Self {
            reads: self.reads.max(outer.reads),
            writes: self.writes.max(outer.writes),
            left_out,
            ttl: self.ttl.or(outer.ttl),
        }
    }

    /// How the call is to compute, if it is not to look.
    pub(crate) fn unread(&self) -> Option<Unread> {
        match self.reads {
            Reads::All => None,
            Reads::Forget if self.writes == Writes::All => Some(Unread::Forgetting),
            Reads::Nothing | Reads::Forget => Some(Unread::Past),
        }
    }

    /// Whether a tier may be asked.
    pub(crate) fn reaches(&self, tier: Level) -> bool {
        !self.left_out[tier as usize]
    }

    /// Whether what is computed may be kept.
    pub(crate) fn stores(&self) -> bool {
        self.writes == Writes::All
    }

    /// Whether a tier may keep what is computed.
    pub(crate) fn keeps(&self, tier: Level) -> bool {
        self.stores() && self.reaches(tier)
    }

    /// Whether a tier may keep what was found in another.
    pub(crate) fn promotes(&self, tier: Level) -> bool {
        self.writes != Writes::Nothing && self.reaches(tier)
    }

    /// The time to live that is said here.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.ttl
    }
}
