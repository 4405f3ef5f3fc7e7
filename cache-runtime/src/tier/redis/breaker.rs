//! Keeps a server from being asked while it does not answer.
//!
//! 1. Closed, every call asks. After [`MOST_FAILURES`] in a row it is open, and none does.
//! 2. After a while one call is let through. What comes of that closes it, or opens it for longer.

use crate::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Failures in a row that open it.
pub(super) const MOST_FAILURES: u32 = 3;
const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Whether a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Breaker {
    /// Every call asks it.
    Closed,
    /// The next call tries.
    HalfOpen,
    /// No call does.
    Open,
}

#[derive(Debug, Default)]
pub(super) struct Fuse {
    /// What most calls look at alone.
    is_blown: AtomicBool,
    failures: AtomicU32,
    state: Mutex<State>,
    /// How often it has opened.
    pub(super) opened: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// From when on a call may try.
    until: Option<Instant>,
    is_tried: bool,
}

impl Fuse {
    /// Whether a call may ask. If it is let through as the one that tries, it has to say what came
    /// of it.
    pub(super) fn lets_through(&self) -> bool {
        if !self.is_blown.load(Relaxed) {
            return true;
        }
        let mut state = self.state.lock();
        let may_try = !state.is_tried && state.until.is_none_or(|until| Instant::now() >= until);
        state.is_tried |= may_try;
        may_try
    }

    /// True if that closed it.
    pub(super) fn succeeded(&self) -> bool {
        if self.failures.load(Relaxed) == 0 {
            return false;
        }
        *self.state.lock() = State::default();
        self.failures.store(0, Relaxed);
        self.is_blown.swap(false, Relaxed)
    }

    /// True if that opened it.
    pub(super) fn failed(&self) -> bool {
        let mut state = self.state.lock();
        let failures = self.failures.load(Relaxed).saturating_add(1);
        self.failures.store(failures, Relaxed);
        if failures >= MOST_FAILURES {
            let beyond = (failures - MOST_FAILURES).min(8);
            let pause = SHORTEST.saturating_mul(1 << beyond).min(LONGEST);
            state.until = Some(Instant::now() + pause);
            state.is_tried = false;
            if !self.is_blown.swap(true, Relaxed) {
                self.opened.fetch_add(1, Relaxed);
                return true;
            }
        }
        false
    }

    /// Takes note that nothing came of it that tells anything.
    pub(super) fn undecided(&self) {
        if self.is_blown.load(Relaxed) {
            self.state.lock().is_tried = false;
        }
    }

    pub(super) fn state(&self) -> Breaker {
        if !self.is_blown.load(Relaxed) {
            return Breaker::Closed;
        }
        let until = self.state.lock().until;
        let may_try = until.is_none_or(|until| Instant::now() >= until);
        if may_try { Breaker::HalfOpen } else { Breaker::Open }
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, Fuse, MOST_FAILURES};
    use std::time::Instant;

    fn blown() -> Fuse {
        let fuse = Fuse::default();
        let opens = (0..MOST_FAILURES).filter(|_| fuse.failed()).count();
        assert_eq!(opens, 1);
        fuse
    }

    #[test]
    fn a_failure_now_and_then_opens_nothing() {
        let fuse = Fuse::default();
        for _ in 0..10 {
            assert!((1..MOST_FAILURES).all(|_| !fuse.failed()));
            assert!(!fuse.succeeded());
        }
        assert_eq!(fuse.state(), Breaker::Closed);
        assert!(fuse.lets_through());
    }

    #[test]
    fn failures_in_a_row_open_it() {
        let fuse = blown();
        assert_eq!(fuse.state(), Breaker::Open);
        assert!(!fuse.lets_through());
    }

    #[test]
    fn after_a_while_one_call_tries() {
        let fuse = blown();
        fuse.state.lock().until = Some(Instant::now());
        assert_eq!(fuse.state(), Breaker::HalfOpen);
        assert!(fuse.lets_through());
        assert!(!fuse.lets_through());
        assert!(fuse.succeeded());
        assert_eq!(fuse.state(), Breaker::Closed);
        assert!(fuse.lets_through());
    }

    #[test]
    fn what_tells_nothing_is_tried_again() {
        let fuse = blown();
        fuse.state.lock().until = Some(Instant::now());
        assert!(fuse.lets_through());
        fuse.undecided();
        assert!(fuse.lets_through());
        assert!(!fuse.lets_through());
    }

    #[test]
    fn what_is_tried_in_vain_opens_it_for_longer() {
        let fuse = blown();
        fuse.state.lock().until = Some(Instant::now());
        assert!(fuse.lets_through());
        assert!(!fuse.failed(), "it is open");
        assert!(!fuse.lets_through());
    }
}
