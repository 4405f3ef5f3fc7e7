//! What is to be done about each element that was not simply there.

use super::Missed;
use crate::key::OwnedKey;
use crate::mark::MarkHasher;
use crate::miss::{Bypassed, Part};
use crate::outcome::Kind;
use crate::quest::Quest;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::BuildHasherDefault;

/// An element that is looked for.
pub(super) type Open<K, Kd> = (usize, Quest<K, Kd>);

/// An id that was asked for before, and where.
pub(super) type Twice<K, Kd> = (usize, usize, Quest<K, Kd>);

pub(super) struct Sorted<K: OwnedKey, Kd: Kind> {
    pub(super) open: Vec<Open<K, Kd>>,
    pub(super) past: Vec<(usize, Bypassed<Kd>)>,
    pub(super) puts: Vec<(usize, Quest<K, Kd>, Kd::Out)>,
    pub(super) twice: Vec<Twice<K, Kd>>,
    /// There, and to be computed anew.
    pub(super) due: Vec<Due<K, Kd>>,
}

/// A value that is to be computed anew while it is served.
pub(super) type Due<K, Kd> = (usize, Quest<K, Kd>, <Kd as Kind>::Out);

pub(super) async fn sort<T, K: OwnedKey, Kd: Kind>(
    missed: Vec<Missed<'_, T, K, Kd>>,
) -> Sorted<K, Kd> {
    let (mut open, mut past, mut puts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut twice, mut due) = (Vec::new(), Vec::new());
    let mut seen = HashMap::with_capacity_and_hasher(
        missed.len(),
        <BuildHasherDefault<MarkHasher>>::default(),
    );
    for Missed { at, miss, .. } in missed {
        let (quest, is_forced) = match miss.part() {
            Part::Quest(quest) => (quest, false),
            Part::Forced(quest) => (quest, true),
            Part::Put(out, quest) => {
                puts.push((at, quest, out));
                continue;
            }
            Part::Due(out, quest) => {
                due.push((at, quest, out));
                continue;
            }
            Part::Bypassed(bypassed) => {
                past.push((at, bypassed));
                continue;
            }
        };
        match seen.entry(quest.mark()) {
            Entry::Occupied(first) => twice.push((at, *first.get(), quest)),
            Entry::Vacant(place) => {
                place.insert(at);
                let quest = if is_forced { quest.forget().await } else { quest };
                open.push((at, quest));
            }
        }
    }
    Sorted { open, past, puts, twice, due }
}
