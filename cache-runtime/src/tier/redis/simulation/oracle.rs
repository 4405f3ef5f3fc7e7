//! Watches over the world, and complains of the first thing that must not be.
//!
//! Bad is:
//!
//! 1. a value made before an invalidation that had returned before the call began: at once on the
//!    invalidation's own machine and from the server, after the bound from another's memory;
//! 2. a copy of what the server has no more: on a disk at once, in memory after the bound;
//! 3. two computations of a key at once, while the first has the lease, and nothing disturbed it;
//! 4. a value that replaces a later one;
//! 5. an invalidation that waits for ever, and a call that never ends;
//! 6. a call that waits for the server for longer than its deadline, to ask and to store together;
//! 7. that all who read a version are told of it because it was made to last longer than anything needs.

use super::keyspace::{Item, Kept};
use super::time::Owner;
use super::values::{Call, SOURCES, Source, Value};
use crate::entry::{Marks, Stamp};
use crate::sync::Mutex;
use crate::versions::Versions;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    Memory,
    /// In memory or on the disk, and a server was asked about it if one could be.
    Copy,
    Server,
    Body,
}

/// A value that is handed out.
#[derive(Clone, Copy)]
pub(super) struct Served<'a> {
    pub(super) call: Call,
    pub(super) by: Owner,
    pub(super) begun: Duration,
    pub(super) value: &'a Value,
    pub(super) from: From,
    /// Whether the process promises to have heard of what is older than the bound.
    pub(super) is_vouched: bool,
}

pub(super) struct Oracle {
    bound: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    complaint: Option<String>,
    counts: [u64; SOURCES.len()],
    invalidations: Vec<Invalidation>,
    /// From when on the server has a value no more.
    gone: BTreeMap<u64, Duration>,
    running: Vec<Running>,
    /// Who has been disturbed; nobody, where all have.
    disturbed: Vec<Option<Owner>>,
    calls: BTreeMap<u64, (Owner, Call, Duration)>,
    /// Which invalidation is kept, where it was taken for another.
    instead: BTreeMap<usize, usize>,
    /// Which machine each process is on.
    machines: BTreeMap<Owner, usize>,
    next: u64,
}

struct Invalidation {
    by: Option<Owner>,
    what: String,
    /// What calls may not return less of any more.
    floor: BTreeMap<Source, u64>,
    calls: Vec<Call>,
    /// Since when this holds in its own process, and for others.
    returned: Option<Duration>,
    effective: Option<Duration>,
    /// It waits in the journal of a machine.
    is_kept: bool,
    /// Nobody was told that it was made, and nobody is left to make it.
    is_void: bool,
}

struct Running {
    number: u64,
    call: Call,
    by: Owner,
    is_disturbed: bool,
    versions: Arc<Versions>,
    marks: Marks,
    since: Stamp,
}

impl Oracle {
    pub(super) fn new(bound: Duration) -> Self {
        Self { bound, state: Mutex::default() }
    }

    pub(super) fn complaint(&self) -> Option<String> {
        self.state.lock().complaint.clone()
    }

    /// What a source shows now.
    pub(super) fn look(&self, source: Source) -> u64 {
        self.state.lock().counts[source]
    }

    pub(super) fn number(&self) -> u64 {
        let mut state = self.state.lock();
        state.next += 1;
        state.next
    }

    /// An invalidation is about to begin: raises the sources that it speaks of.
    pub(super) fn begin(
        &self,
        by: Option<Owner>,
        what: String,
        sources: &[Source],
        calls: Vec<Call>,
    ) -> usize {
        let mut state = self.state.lock();
        let mut floor = BTreeMap::new();
        for source in sources {
            state.counts[*source] += 1;
            floor.insert(*source, state.counts[*source]);
        }
        let invalidation = Invalidation {
            by,
            what,
            floor,
            calls,
            returned: None,
            effective: None,
            is_kept: false,
            is_void: false,
        };
        state.invalidations.push(invalidation);
        state.invalidations.len() - 1
    }

    /// It has returned.
    pub(super) fn returned(&self, which: usize, is_ok: bool, now: Duration) {
        let mut state = self.state.lock();
        let it = &mut state.invalidations[which];
        it.returned = Some(now);
        let delivered = it.effective.map(|_| now);
        it.effective = it.effective.or(is_ok.then_some(now));
        if is_ok && it.is_kept {
            // It is another of the same name that is kept: which one was not known then.
            let (by, what) = (it.by, it.what.clone());
            let is_other = |it: &Invalidation| {
                it.by == by && it.what == what && it.effective.is_none() && !it.is_kept
            };
            if let Some(other) = state.invalidations.iter().position(is_other) {
                state.invalidations[other].is_kept = true;
                state.invalidations[other].effective = delivered;
                state.instead.insert(which, other);
            }
        }
    }

    /// Which machine a process is on.
    pub(super) fn lives_on(&self, owner: Owner, machine: usize) {
        self.state.lock().machines.insert(owner, machine);
    }

    /// One is kept until it is delivered. Says which.
    pub(super) fn postponed(&self, by: Owner, what: &str) -> Option<usize> {
        let mut state = self.state.lock();
        let mut waiting = state.invalidations.iter_mut().enumerate().filter(|(_, it)| {
            it.by == Some(by) && it.what == what && it.effective.is_none() && !it.is_kept
        });
        let (which, it) = waiting.next()?;
        it.is_kept = true;
        Some(which)
    }

    /// One that was kept has been delivered.
    pub(super) fn takes_effect(&self, which: usize, now: Duration) {
        let mut state = self.state.lock();
        let mut which = which;
        while let Some(other) = state.instead.get(&which) {
            which = *other;
        }
        state.invalidations[which].effective.get_or_insert(now);
    }

    /// One that waited in its own process has been delivered.
    pub(super) fn delivered(&self, by: Owner, what: &str, now: Duration) {
        let mut state = self.state.lock();
        let mut waiting = state.invalidations.iter_mut().filter(|it| {
            let is_it = it.by == Some(by) && it.what == what && !it.is_kept;
            is_it && it.effective.is_none() && it.returned.is_some()
        });
        if let Some(it) = waiting.next() {
            it.effective = Some(now);
        }
    }

    pub(super) fn called(&self, by: Owner, call: Call, now: Duration) -> u64 {
        let number = self.number();
        self.state.lock().calls.insert(number, (by, call, now));
        number
    }

    pub(super) fn ended(&self, number: u64) {
        self.state.lock().calls.remove(&number);
    }

    pub(super) fn served(&self, served: Served<'_>, now: Duration) {
        let Served { call, by, begun, value, from, is_vouched } = served;
        let mut state = self.state.lock();
        let mut fault = None;
        for it in state.invalidations.iter().filter(|it| it.calls.contains(&call)) {
            let has_returned = it.returned.is_some_and(|at| at < begun);
            let is_own = it.by == Some(by) && has_returned;
            let own = state.machines.get(&by);
            let shares = |it| own.is_some() && state.machines.get(&it) == own;
            // The keys of what is in memory alone are each process's own.
            let is_near = call.function.is_shared() && it.by.is_some_and(shares) && has_returned;
            let is_compared = from == From::Server || (from == From::Copy && is_vouched);
            let grace = if is_compared { Duration::ZERO } else { self.bound };
            let is_promised = is_compared || (call.function.is_shared() && is_vouched);
            let is_others = is_promised && it.effective.is_some_and(|at| at + grace < begun);
            for (source, floor) in &it.floor {
                let is_old = value.read.get(source).is_some_and(|read| read < floor);
                // By hand, nothing tells that anything was invalidated but what was.
                let is_by_hand = it.by.is_none() && call.ahead().contains(source);
                let is_excused = (value.near.contains(source) && !is_own) || is_by_hand;
                if is_old && !is_excused && (is_own || is_near || is_others) {
                    fault = Some(format!(
                        "it is older than {} by {:?} of {:?} and {:?}: {:?} {:?}",
                        it.what, it.by, it.returned, it.effective, it.floor, it.calls
                    ));
                }
            }
        }
        let grace = if from == From::Copy { Duration::ZERO } else { self.bound };
        let is_gone = state.gone.get(&value.id).is_some_and(|at| *at + grace < begun);
        let is_copy = matches!(from, From::Memory | From::Copy);
        if is_copy && is_vouched && call.function.is_shared() && is_gone {
            fault = Some("the server has it no more".to_owned());
        }
        if let Some(fault) = fault {
            let what = format!("{call:?} by {by:?} at {begun:?}..{now:?} from {from:?}: {value:?}");
            state.complain(&format!("{what}: {fault}"));
        }
    }

    /// What a server has gone.
    pub(super) fn gone(&self, bytes: &[u8], now: Duration) {
        if let Some(value) = Value::of(bytes) {
            self.lasts(value.id, now);
        }
    }

    pub(super) fn lost(&self, kept: &Kept, now: Duration) {
        if let Item::Bytes(bytes) = &kept.item {
            self.gone(bytes, now);
        }
    }

    fn lasts(&self, id: u64, until: Duration) {
        let mut state = self.state.lock();
        let gone = state.gone.entry(id).or_insert(until);
        *gone = (*gone).min(until);
    }

    /// A value has been stored, perhaps in the place of another.
    pub(super) fn stored(&self, old: Option<Vec<u8>>, kept: &Kept) {
        let Item::Bytes(bytes) = &kept.item else { return };
        let Some(value) = Value::of(bytes) else { return };
        if let Some(expires) = kept.expires {
            self.lasts(value.id, expires);
        }
        let Some(old) = old.and_then(|old| Value::of(&old)) else { return };
        let is_less = |(source, count): (&Source, &u64)| value.read.get(source) < Some(count);
        // What is made of other values may be made of older ones, as long as they are valid.
        let is_made_of_others =
            super::values::calls().any(|it| it.id() == value.call && !it.callees().is_empty());
        if !is_made_of_others && old.read.iter().any(is_less) {
            self.state.lock().complain(&format!("{value:?} replaces {old:?}"));
        }
    }

    pub(super) fn told_in_vain(&self) {
        self.state.lock().complain("a version that lasted for long enough was made to last longer");
    }

    /// How often somebody has been disturbed.
    pub(super) fn disturbances(&self, who: Owner) -> usize {
        self.state.lock().disturbances(who)
    }

    /// How long a call that computed has waited for the server in all. Who was suspended can't help it.
    pub(super) fn waited(
        &self,
        call: Call,
        (by, disturbances): (Owner, usize),
        waited: Duration,
        deadline: Duration,
    ) {
        let mut state = self.state.lock();
        if waited > deadline && state.disturbances(by) == disturbances {
            state.complain(&format!("{call:?} by {by:?} waits for {waited:?}"));
        }
    }

    /// Somebody has the right to compute, and had been disturbed so often when he asked for it.
    pub(super) fn granted(
        &self,
        call: Call,
        (by, disturbances): (Owner, usize),
        versions: &Arc<Versions>,
        (marks, since): (Marks, Stamp),
    ) -> u64 {
        let number = self.number();
        let mut state = self.state.lock();
        let (versions, is_disturbed) =
            (Arc::clone(versions), state.disturbances(by) > disturbances);
        let running = Running { number, call, by, is_disturbed, versions, marks, since };
        let first = state.running.iter().find(|it| it.call == call && it.is_healthy());
        if let Some(first) = first.filter(|_| running.is_healthy()) {
            let fault = format!("{call:?} is computed by {:?} and {by:?} at once", first.by);
            state.complain(&fault);
        }
        state.running.push(running);
        number
    }

    pub(super) fn computed(&self, number: u64) {
        self.state.lock().running.retain(|it| it.number != number);
    }

    /// Something happened to somebody, or to all, so that a lease may be lost.
    pub(super) fn disturb(&self, who: Option<Owner>) {
        let mut state = self.state.lock();
        state.disturbed.push(who);
        for running in &mut state.running {
            running.is_disturbed |= who.is_none_or(|who| who == running.by);
        }
    }

    /// Somebody's life has ended.
    pub(super) fn died(&self, who: Owner) {
        let mut state = self.state.lock();
        state.running.retain(|it| it.by != who);
        state.calls.retain(|_, (by, ..)| *by != who);
        // What waits to be delivered goes with it.
        for it in state.invalidations.iter_mut().filter(|it| it.by == Some(who)) {
            it.is_void |= it.effective.is_none() && !it.is_kept;
        }
    }

    /// At the end, everybody has had all the time it takes.
    pub(super) fn conclude(&self) {
        let mut state = self.state.lock();
        let waiting = state.invalidations.iter().find(|it| it.effective.is_none() && !it.is_void);
        let lost = waiting.map(|it| format!("the invalidation of {} waits for ever", it.what));
        let endless = state.calls.values().next();
        let endless =
            endless.map(|(by, call, at)| format!("{call:?} by {by:?} at {at:?} never ends"));
        if let Some(fault) = lost.or(endless) {
            state.complain(&fault);
        }
    }
}

impl State {
    fn disturbances(&self, who: Owner) -> usize {
        self.disturbed.iter().filter(|it| it.is_none_or(|it| it == who)).count()
    }

    fn complain(&mut self, fault: &str) {
        self.complaint.get_or_insert_with(|| fault.to_owned());
    }
}

impl Running {
    fn is_healthy(&self) -> bool {
        !self.is_disturbed && !self.versions.overtook(&self.marks, self.since)
    }
}
