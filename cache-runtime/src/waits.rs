//! Who waits for whom, so that a call that would wait for itself computes instead (F2).
//!
//! 1. An edge stands from every computation that a waiting caller is part of to the one it waits
//!    for, as long as it waits.
//! 2. An edge that would close a circle is never made.
//!
//! Callers outside of any computation can't be waited for, and leave no trace here.

use crate::flight::FlightId;
use crate::sync::Mutex;
use std::collections::{HashMap, HashSet};

/// The waits of one process: circles may run through several runtimes.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    edges: Mutex<HashMap<FlightId, Vec<FlightId>>>,
}

/// One caller's edges, as long as it waits.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    waits: &'a Waits,
    from: Vec<FlightId>,
    on: FlightId,
}

impl Waits {
    /// Says that a caller inside the computations `from` is about to wait for `on`; `None` if one
    /// of them would then wait for itself.
    pub(crate) fn begin(&self, from: Vec<FlightId>, on: FlightId) -> Option<Waiting<'_>> {
        if !from.is_empty() {
            let mut edges = self.edges.lock();
            if reaches(&edges, on, &from) {
                return None;
            }
            for it in &from {
                edges.entry(*it).or_default().push(on);
            }
        }
        Some(Waiting { waits: self, from, on })
    }
}

fn reaches(
    edges: &HashMap<FlightId, Vec<FlightId>>,
    start: FlightId,
    targets: &[FlightId],
) -> bool {
    let mut seen = HashSet::new();
    let mut next = vec![start];
    while let Some(it) = next.pop() {
        if targets.contains(&it) {
            return true;
        }
        if seen.insert(it) {
            next.extend(edges.get(&it).into_iter().flatten());
        }
    }
    false
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.from.is_empty() {
            return;
        }
        let mut edges = self.waits.edges.lock();
        for it in &self.from {
            let Some(on) = edges.get_mut(it) else { continue };
            if let Some(at) = on.iter().position(|other| *other == self.on) {
                on.swap_remove(at);
            }
            if on.is_empty() {
                edges.remove(it);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_would_close_a_circle_is_refused() {
        let waits = Waits::default();
        let [a, b, c] = [FlightId::next(), FlightId::next(), FlightId::next()];
        assert!(waits.begin(vec![a], a).is_none());
        let first = waits.begin(vec![a], b);
        let second = waits.begin(vec![b], c);
        assert!(first.is_some() && second.is_some());
        assert!(waits.begin(vec![c], a).is_none());
        drop(second);
        assert!(waits.begin(vec![c], a).is_some());
    }

    #[test]
    fn callers_outside_of_any_computation_leave_no_trace() {
        let waits = Waits::default();
        let waiting = waits.begin(Vec::new(), FlightId::next());
        assert!(waiting.is_some());
        assert!(waits.edges.lock().is_empty());
    }
}
