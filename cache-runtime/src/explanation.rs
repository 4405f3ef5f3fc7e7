//! What a call would do now, and why.

use crate::call_context::CallContext;
use crate::error::Level;
use crate::lookup::Miss;
#[cfg(feature = "redis")]
use crate::tier::redis::Breaker;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a call would do now, and why. `Display` reads like a sentence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The call.
    pub call: CallContext,
    /// The readable key, of a function that has one, as it stands in an entry.
    pub key: Option<String>,
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
        /// Whether it is so near its end that a call has it computed anew (`refresh`), or may have it.
        is_due: bool,
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
    /// Nothing, and another call computes it: this one would wait for that.
    InFlight,
    /// Nothing that could be served.
    Missing(Miss),
    /// Whatever there is, the options around the call have it computed.
    Unread,
    /// The function's `when` is false of the arguments: this is what it says.
    When(&'static str),
    /// The function is keyed by the ambient context, and there is none.
    NoContext,
    /// The function's entries end with a session or request, and there is none.
    NoScope,
    /// The cache clones or compares a value in this thread.
    Reentrant,
}

impl State {
    /// Whether it is one of what there is.
    pub(crate) fn is_looked_for(&self) -> bool {
        !matches!(self, Self::When(_) | Self::NoContext | Self::NoScope | Self::Reentrant)
    }
}

/// What one tier has for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The tier.
    pub tier: Level,
    /// How old its entry is, and whether that would be served, or why there is none.
    pub entry: Result<Age, Miss>,
    /// What was invalidated that its entry depends on, if it was.
    pub cause: Option<Cause>,
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
///
/// Tags go by name as long as this process has invalidated them itself, and not many others since. Of an entry
/// on disk or in Redis they may as well be those of what it was computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The entry by its key.
    Key,
    /// The function.
    Function,
    /// One of the entry's own tags.
    Tag(Option<Arc<str>>),
    /// A cached function that it was computed from, by its key, as a whole, or by one of its tags.
    Callee(Option<Arc<str>>),
    /// Something that the entry depends on, by a name that this process does not know.
    Dependency,
    /// A file has changed.
    File,
    /// A pattern, a set of tags, or everything.
    Other,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("by its key"),
            Self::Function => f.write_str("with its function"),
            Self::Tag(Some(tag)) => write!(f, "by its tag `{tag}`"),
            Self::Tag(None) => f.write_str("by one of its tags"),
            Self::Callee(Some(tag)) => {
                write!(f, "by the tag `{tag}` of something that it was computed from")
            }
            Self::Callee(None) => f.write_str("by something that it was computed from"),
            Self::Dependency => f.write_str("by something that it depends on"),
            Self::File => f.write_str("by a file that has changed"),
            Self::Other => f.write_str("with others, by a pattern, a set of tags, or altogether"),
        }
    }
}

/// A time as people say it.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str, u64, &str); 3] =
            [(86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")];
        let seconds = self.0.as_secs();
        match UNITS.iter().find(|(unit, ..)| seconds >= *unit) {
            Some((unit, name, part, part_name)) => {
                write!(f, "{} {name}", seconds / unit)?;
                match seconds % unit / part {
                    0 => Ok(()),
                    parts => write!(f, " {parts} {part_name}"),
                }
            }
            None if self.0.is_zero() => f.write_str("0s"),
            None => write!(f, "{:.1?}", self.0),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fresh { tier, age, left, is_due } => {
                write!(f, "would be served from {tier}: {} old, ", Span(age))?;
                match left {
                    Some(left) => write!(f, "fresh for {}", Span(left))?,
                    None => f.write_str("fresh until invalidated")?,
                }
                f.write_str(if is_due { ", and due to be computed anew" } else { "" })
            }
            Self::Stale { age, left, is_computed: true } => write!(
                f,
                "would be served stale, {} old, while another call computes it anew, for another {}",
                Span(age),
                Span(left)
            ),
            Self::Stale { age, left, .. } => write!(
                f,
                "would be computed: its entry is stale, {} old, and served to others meanwhile, for \
                 another {}",
                Span(age),
                Span(left)
            ),
            Self::Grace { age, left, retry: Some(retry) } => write!(
                f,
                "would be served though {} old: computing it anew has failed, and is tried again in \
                 {}; grace ends in {}",
                Span(age),
                Span(retry),
                Span(left)
            ),
            Self::Grace { age, left, .. } => write!(
                f,
                "would be computed: its entry has expired, and is served if that fails, {} old, for \
                 another {}",
                Span(age),
                Span(left)
            ),
            Self::InFlight => f.write_str("would wait for another call, which computes it"),
            Self::Missing(Miss::Expired) => f.write_str("would be computed: its entry has expired"),
            Self::Missing(Miss::Invalidated) => {
                f.write_str("would be computed: its entry has been invalidated")
            }
            Self::Missing(Miss::Unavailable) => {
                f.write_str("would be computed: what may have an entry can't be asked for it")
            }
            Self::Missing(_) => f.write_str("would be computed: there is no entry"),
            Self::Unread => {
                f.write_str("would be computed: the options around it say not to look for an entry")
            }
            Self::When(condition) => write!(
                f,
                "would be computed and not cached: `when = {condition}` does not hold"
            ),
            Self::NoContext => f.write_str(
                "would be computed and not cached: it is keyed by the ambient context, and none is set",
            ),
            Self::NoScope => f.write_str(
                "would be computed and not cached: its entries end with a session or request, and none \
                 has begun",
            ),
            Self::Reentrant => f.write_str(
                "would be computed and not cached: it is made while the cache clones or compares a \
                 value",
            ),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.call)?;
        if let Some(key) = &self.key {
            write!(f, "(`{key}`) ")?;
        }
        write!(f, "{}", self.state)?;
        if let Some(cause) = &self.cause {
            write!(f, ", {cause}")?;
        }
        if self.tiers.len() > 1 {
            let mut sign = "; ";
            for Held { tier, entry, cause } in &self.tiers {
                match entry {
                    Ok(Age { left: Some(Duration::ZERO), .. }) => {
                        write!(f, "{sign}{tier} has one that is over")?;
                    }
                    Ok(_) => write!(f, "{sign}{tier} has it")?,
                    Err(Miss::Expired) => write!(f, "{sign}{tier} has one that has expired")?,
                    Err(Miss::Invalidated) => {
                        write!(f, "{sign}{tier} has one that is invalid")?;
                        // That of the nearest was told.
                        let other = cause.as_ref().filter(|_| *cause != self.cause);
                        other.map_or(Ok(()), |cause| write!(f, ": {cause}"))?;
                    }
                    Err(Miss::Unavailable) => write!(f, "{sign}{tier} can't be asked")?,
                    Err(_) => write!(f, "{sign}{tier} has none")?,
                }
                sign = ", ";
            }
        }
        #[cfg(feature = "redis")]
        match self.breaker {
            Some(Breaker::Open) => f.write_str("; Redis is done without for now")?,
            Some(Breaker::HalfOpen) => f.write_str("; the next call tries Redis again")?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Span;
    use std::time::Duration;

    #[test]
    fn times_are_told_in_two_units_at_most() {
        let told = |millis| Span(Duration::from_millis(millis)).to_string();
        assert_eq!([0, 7, 12_340].map(told), ["0s", "7.0ms", "12.3s"]);
        assert_eq!([60_000, 200_000, 3_599_999].map(told), ["1 min", "3 min 20 s", "59 min 59 s"]);
        assert_eq!([7_200_000, 93_600_000].map(told), ["2 h", "1 d 2 h"]);
    }
}
