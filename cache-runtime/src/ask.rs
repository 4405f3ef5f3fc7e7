//! What a companion wants of the next call of its function, other than an answer.

use crate::mark::Mark;
use crate::sync::Mutex;
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) struct Ask {
    /// The place of the function that is meant.
    pub(crate) site: usize,
    /// The key that is meant, if not whichever comes first.
    pub(crate) key: Option<Mark>,
    pub(crate) wish: Wish,
}

/// What a call is to do in place of another: a claim to a computation that is given up if it is dropped.
pub(crate) type Charge = Box<dyn Any + Send>;

/// What became of bodies that run where a function is warmed. Relaxed: whoever asks has seen the call end.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    has_begun: AtomicBool,
    has_failed: AtomicBool,
}

impl Ran {
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Also if something else is served then.
    pub(crate) fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }
}

/// Those of several calls, by what tells their keys apart as a rule.
pub(crate) type Charges = HashMap<Mark, Vec<Charge>>;

pub(crate) enum Wish {
    /// Compute, and store what comes out.
    Refresh,
    /// The same once what is there is invalidated.
    Force,
    /// Compute only what is not there, and say whether that was so.
    Warm(Arc<Ran>),
    /// Go on with a computation that another call began.
    Lead(Charge),
    /// The same for each of these keys.
    LeadAll(Arc<Mutex<Charges>>),
    /// Compute, and leave the cache alone.
    Uncached,
    /// Store this as if it had been computed now. An `Option` of the function's return type.
    Put(Box<dyn Any>),
}

impl Wish {
    /// Whether it is for each element of a batch.
    pub(crate) fn is_of_all(&self) -> bool {
        matches!(self, Self::Warm(_) | Self::LeadAll(_))
    }

    /// Whether nobody would rather have something else than wait for it: what a call is made for in place of
    /// another has whoever waits for it by its flight.
    pub(crate) fn outlasts_callers(&self) -> bool {
        matches!(self, Self::Lead(_) | Self::LeadAll(_))
    }
}
