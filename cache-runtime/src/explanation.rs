//! What a call would do now, and why.

use crate::call_context::CallContext;
use crate::error::Level;
use crate::lookup::Miss;
#[cfg(feature = "redis")]
use crate::tier::redis::Breaker;
use std::fmt;
use std::time::Duration;

/// What a call would do now, and why. `Display` reads like a sentence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The call.
    pub call: CallContext,
    /// What the tiers have for it, taken together.
    pub state: State,
    /// What each of the function's tiers has, from the nearest on. Nothing where that is not known
    /// without what surrounds the call.
    pub tiers: Vec<Held>,
    /// What was invalidated that the nearest entry depends on, if it was.
    pub cause: Option<Cause>,
    /// Whether Redis is asked, for a function that is kept there.
    #[cfg(feature = "redis")]
    pub breaker: Option<Breaker>,
}

/// What the tiers have for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A value that would be served.
    Fresh {
        /// The nearest tier that has it.
        tier: Level,
        /// How long ago it was computed.
        age: Duration,
        /// How long it stays fresh; `None` for as long as nothing invalidates it.
        left: Option<Duration>,
    },
    /// A value whose time is over. It would be served while another call computes it anew; the first
    /// call does.
    Stale {
        /// How long ago it was computed.
        age: Duration,
        /// How long it may be served so.
        left: Duration,
        /// Whether another call computes it.
        is_computed: bool,
    },
    /// A value whose time is over, and that would be served if computing it anew fails.
    Grace {
        /// How long ago it was computed.
        age: Duration,
        /// How long it may be served so.
        left: Duration,
        /// When the next attempt is due, after some that failed: until then it would be served at once.
        retry: Option<Duration>,
    },
    /// Nothing that could be served.
    Missing(Miss),
    /// The function is keyed by the ambient context, and there is none.
    NoContext,
    /// The function's entries end with a session or request, and there is none.
    NoScope,
}

/// What one tier has for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The tier.
    pub tier: Level,
    /// How old its entry is, and whether that would be served, or why there is none.
    pub entry: Result<Age, Miss>,
}

/// How old an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Age {
    /// How long ago it was computed.
    pub age: Duration,
    /// How long it stays fresh: nothing left once its time is over, `None` for as long as nothing
    /// invalidates it.
    pub left: Option<Duration>,
}

/// What was invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The entry by its key.
    Key,
    /// The function.
    Function,
    /// One of the entry's own tags.
    Tag,
    /// Something that it was computed from, a pattern, a set of tags, or everything.
    Other,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "by its key",
            Self::Function => "with its function",
            Self::Tag => "by one of its tags",
            Self::Other => {
                "by what it was computed from, a pattern, a set of tags, or everything at once"
            }
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh { tier, age, left: Some(left) } => {
                write!(f, "would be served from {tier}: {age:.1?} old, fresh for {left:.1?}")
            }
            Self::Fresh { tier, age, left: None } => {
                write!(f, "would be served from {tier}: {age:.1?} old, fresh until invalidated")
            }
            Self::Stale { age, left, is_computed: true } => write!(
                f,
                "would be served stale, {age:.1?} old, while another call computes it anew, for \
                 {left:.1?} yet"
            ),
            Self::Stale { age, left, .. } => write!(
                f,
                "would be computed: its entry is stale, {age:.1?} old, and served to others meanwhile, \
                 for {left:.1?} yet"
            ),
            Self::Grace { age, left, retry: Some(retry) } => write!(
                f,
                "would be served though {age:.1?} old: computing it anew has failed, and is tried again \
                 in {retry:.1?}; grace ends in {left:.1?}"
            ),
            Self::Grace { age, left, .. } => write!(
                f,
                "would be computed: its entry has expired, and is served if that fails, {age:.1?} old, \
                 for {left:.1?} yet"
            ),
            Self::Missing(Miss::Expired) => f.write_str("would be computed: its entry has expired"),
            Self::Missing(Miss::Invalidated) => {
                f.write_str("would be computed: its entry has been invalidated")
            }
            Self::Missing(Miss::Unavailable) => f.write_str(
                "would be computed and not cached: it is made while the cache clones or compares a \
                 value",
            ),
            Self::Missing(_) => f.write_str("would be computed: there is no entry"),
            Self::NoContext => f.write_str(
                "would be computed and not cached: it is keyed by the ambient context, and none is set",
            ),
            Self::NoScope => f.write_str(
                "would be computed and not cached: its entries end with a session or request, and none \
                 has begun",
            ),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.state)?;
        if let Some(cause) = self.cause {
            write!(f, ", {cause}")?;
        }
        if self.tiers.len() > 1 {
            let mut sign = "; ";
            for Held { tier, entry } in &self.tiers {
                match entry {
                    Ok(Age { left: Some(Duration::ZERO), .. }) => {
                        write!(f, "{sign}{tier} has one that is over")?;
                    }
                    Ok(_) => write!(f, "{sign}{tier} has it")?,
                    Err(Miss::Expired) => write!(f, "{sign}{tier} has one that has expired")?,
                    Err(Miss::Invalidated) => write!(f, "{sign}{tier} has one that is invalid")?,
                    Err(Miss::Unavailable) => write!(f, "{sign}{tier} can't be asked")?,
                    Err(_) => write!(f, "{sign}{tier} has none")?,
                }
                sign = ", ";
            }
        }
        #[cfg(feature = "redis")]
        if self.breaker.is_some_and(|breaker| breaker != Breaker::Closed) {
            f.write_str("; Redis is done without for now")?;
        }
        Ok(())
    }
}
