//! What a call would do now, and why.

use crate::call_context::CallContext;
use crate::error::Level;
use crate::lookup::Miss;
use std::fmt;
use std::time::Duration;

/// What a call would do now, and why. `Display` reads like a sentence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The call.
    pub call: CallContext,
    /// What the tiers have for it.
    pub state: State,
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
    /// Nothing that could be served.
    Missing(Miss),
    /// The function is keyed by the ambient context, and there is none.
    NoContext,
    /// The function's entries end with a session or request, and there is none.
    NoScope,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = &self.call;
        match self.state {
            State::Fresh { tier, age, left: Some(left) } => {
                write!(f, "{call} would be served from {tier}: {age:.1?} old, fresh for {left:.1?}")
            }
            State::Fresh { tier, age, left: None } => write!(
                f,
                "{call} would be served from {tier}: {age:.1?} old, fresh until invalidated"
            ),
            State::Missing(Miss::Expired) => {
                write!(f, "{call} would be computed: its entry has expired")
            }
            State::Missing(Miss::Invalidated) => {
                write!(f, "{call} would be computed: its entry has been invalidated")
            }
            State::Missing(Miss::Unavailable) => write!(
                f,
                "{call} would be computed and not cached: it is made while the cache clones or \
                 compares a value"
            ),
            State::Missing(_) => write!(f, "{call} would be computed: there is no entry"),
            State::NoContext => write!(
                f,
                "{call} would be computed and not cached: it is keyed by the ambient context, \
                 and none is set"
            ),
            State::NoScope => write!(
                f,
                "{call} would be computed and not cached: its entries end with a session or \
                 request, and none has begun"
            ),
        }
    }
}
