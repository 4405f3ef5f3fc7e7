//! What a running computation has been found to depend on (V7).
//!
//! 1. A frame collects from the computation it belongs to and from whatever that calls, awaits, or
//!    spawns with `larder::inherit`, until it is closed; what comes later is too late to matter.
//! 2. A callee keyed by ambient context or scope makes its caller depend on them: a value that
//!    needs more than its function's key says is never stored or shared.

use crate::clock::Moment;
use crate::entry::{About, MOST_DEPENDENCIES, Marks};
use crate::flight::FlightId;
use crate::mark::{Mark, MarkHasher};
use crate::sync::Mutex;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::ops::BitOr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Which parts of the surroundings a key contains, or a value needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keyed(u8);

impl Keyed {
    /// By nothing but the arguments.
    pub const NOTHING: Self = Self(0);
    /// By the ambient context.
    pub const CONTEXT: Self = Self(1);
    /// By the session.
    pub const SESSION: Self = Self(2);
    /// By the request.
    pub const REQUEST: Self = Self(4);

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is part of this.
    #[must_use]
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

impl BitOr for Keyed {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

/// The flights that a computation is to land.
pub(crate) type Flights = SmallVec<[FlightId; 1]>;

/// A running computation.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The runtime that what is computed here is kept in.
    runtime: u64,
    caller: Option<Arc<Frame>>,
    /// Of a batch, one for each element.
    flights: Flights,
    /// What is computed here, or what it is a part of, may leave the process.
    leaves: bool,
    /// Several values are computed here, and each of them closes it.
    is_of_many: bool,
    /// What is computed here may be stored where machines share it.
    is_shared: AtomicBool,
    found: Mutex<Found>,
}

/// What one computation was found to depend on.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) tags: Marks,
    /// Most computations have none.
    callees: Option<Box<Callees>>,
    unbounded: bool,
    pub(crate) expires: Moment,
    pub(crate) needs: Keyed,
}

/// What was taken over from cached functions called on the way.
#[derive(Clone, Debug, Default)]
struct Callees {
    /// By address, so that a callee called again and again counts once.
    inherited: HashMap<usize, Arc<About>>,
    /// Every name depended on, the tags among them.
    names: HashSet<Mark, BuildHasherDefault<MarkHasher>>,
}

impl Frame {
    /// `stored` says that the value is kept beyond this process.
    pub(crate) fn new(
        runtime: u64,
        caller: Option<Arc<Frame>>,
        flights: Flights,
        stored: bool,
    ) -> Self {
        let leaves = stored || caller.as_ref().is_some_and(|caller| caller.leaves);
        let (is_shared, found) = (AtomicBool::new(false), Mutex::new(Found::default()));
        Self { runtime, caller, flights, leaves, is_of_many: false, is_shared, found }
    }

    /// The same for several values.
    pub(crate) fn of_many(self) -> Self {
        Self { is_of_many: true, ..self }
    }

    pub(crate) fn leaves(&self) -> bool {
        self.leaves
    }

    /// Notes that what is computed here may be stored where machines share it.
    #[cfg(feature = "redis")]
    pub(crate) fn share(&self) {
        // Relaxed: those who ask are called by who said so.
        self.is_shared.store(true, Ordering::Relaxed);
    }

    /// Whether that holds for this computation, or for one that it is a part of.
    pub(crate) fn is_shared(&self) -> bool {
        let mut callers = std::iter::successors(Some(self), |frame| frame.caller.as_deref());
        callers.any(|frame| frame.is_shared.load(Ordering::Relaxed))
    }

    /// The computation that called this one.
    pub(crate) fn caller(&self) -> Option<&Self> {
        self.caller.as_deref()
    }

    /// The computations this one is part of, itself first.
    pub(crate) fn flights(&self) -> Vec<FlightId> {
        let callers = std::iter::successors(Some(self), |frame| frame.caller.as_deref());
        callers.flat_map(|frame| frame.flights.iter().copied()).collect()
    }

    /// Takes over what a value of `runtime` that was used here depends on. Of what is invalidated in
    /// another runtime than this computation's own, nobody here would hear.
    pub(crate) fn inherit(&self, runtime: u64, from: &Arc<About>, expires: Moment, needs: Keyed) {
        let mut found = self.found.lock();
        found.unbounded |= runtime != self.runtime;
        found.expires = found.expires.min(expires);
        found.needs = found.needs | needs;
        found.unbounded |= from.unbounded;
        if found.has(from) {
            return;
        }
        for one in std::iter::once(from).chain(&from.inherited) {
            found.take(one);
        }
    }

    pub(crate) fn tag(&self, mark: Mark) {
        let mut found = self.found.lock();
        if !found.unbounded && !found.tags.contains(&mark) {
            found.count(&[mark]);
            found.tags.push(mark);
        }
    }

    /// Notes that what is computed here needs a part of the surroundings.
    pub(crate) fn need(&self, needs: Keyed) {
        let mut found = self.found.lock();
        found.needs = found.needs | needs;
    }

    /// Ends the collecting for one value.
    pub(crate) fn close(&self) -> Found {
        let mut found = self.found.lock();
        if !self.is_of_many {
            return std::mem::take(&mut *found);
        }
        Found {
            tags: Marks::from_slice(&found.tags),
            callees: found.callees.clone(),
            unbounded: found.unbounded,
            expires: found.expires,
            needs: found.needs,
        }
    }
}

impl Default for Found {
    fn default() -> Self {
        Self {
            tags: Marks::new(),
            callees: None,
            unbounded: false,
            expires: Moment::NEVER,
            needs: Keyed::NOTHING,
        }
    }
}

impl Found {
    fn has(&self, one: &Arc<About>) -> bool {
        let address = Arc::as_ptr(one).addr();
        self.callees.as_ref().is_some_and(|callees| callees.inherited.contains_key(&address))
    }

    /// Takes over one callee's own names, unless they are there or there are too many.
    fn take(&mut self, one: &Arc<About>) {
        if self.unbounded || self.has(one) {
            return;
        }
        let callees = self.callees.get_or_insert_with(|| {
            let names = self.tags.iter().copied().collect();
            Box::new(Callees { names, ..Callees::default() })
        });
        callees.inherited.insert(Arc::as_ptr(one).addr(), Arc::clone(one));
        self.count(&one.marks);
    }

    /// Counts names, of which the tags are there already.
    fn count(&mut self, names: &[Mark]) {
        let known = match &mut self.callees {
            Some(callees) => {
                callees.names.extend(names);
                callees.names.len()
            }
            None => self.tags.len() + names.len(),
        };
        self.unbounded |= known > MOST_DEPENDENCIES;
    }

    /// Adds what was found to what is known of the value.
    pub(crate) fn complete(mut self, about: &mut About) {
        self.count(&about.marks);
        for tag in &self.tags {
            about.marks.push(*tag);
        }
        about.unbounded = self.unbounded;
        if let Some(callees) = self.callees.filter(|_| !self.unbounded) {
            about.inherited = callees.inherited.into_values().collect();
        }
    }
}
