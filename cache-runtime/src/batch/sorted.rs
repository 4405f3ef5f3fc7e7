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
pub(super) type Open<K, Kd> = (usize, Box<Quest<K, Kd>>);

/// An id that was asked for before, and where.
pub(super) type Twice<K, Kd> = (usize, usize, Box<Quest<K, Kd>>);

pub(super) struct Sorted<K: OwnedKey, Kd: Kind> {
    pub(super) open: Vec<Open<K, Kd>>,
    pub(super) past: Vec<(usize, Box<Bypassed<Kd>>)>,
    pub(super) puts: Vec<Due<K, Kd>>,
    pub(super) twice: Vec<Twice<K, Kd>>,
    /// There, and to be computed anew.
    pub(super) due: Vec<Due<K, Kd>>,
}

/// A value that is to be computed anew while it is served.
pub(super) type Due<K, Kd> = (usize, Box<Quest<K, Kd>>, <Kd as Kind>::Out);

pub(super) async fn sort<T, K: OwnedKey, Kd: Kind>(
    missed: Vec<Missed<'_, T, K, Kd>>,
) -> Sorted<K, Kd> {
    let (mut past, mut puts) = (Vec::new(), Vec::new());
    let mut open: Vec<Open<K, Kd>> = Vec::with_capacity(missed.len());
    let (mut twice, mut due, mut forced) = (Vec::new(), Vec::new(), Vec::new());
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
        let first = match seen.entry(quest.mark()) {
            Entry::Vacant(place) => {
                place.insert(open.len());
                None
            }
            // Keys of others may have the same mark (C6).
            Entry::Occupied(place) => {
                let mut others = open[*place.get()..].iter();
                others.find(|(_, it)| quest.asks_the_same_as(it)).map(|(first, _)| *first)
            }
        };
        if let Some(first) = first {
            twice.push((at, first, quest));
        } else {
            open.push((at, quest));
            forced.push(is_forced);
        }
    }
    let mut doomed: Vec<_> =
        open.iter_mut().zip(forced).filter(|it| it.1).map(|it| &mut it.0.1).collect();
    Quest::forget_all(&mut doomed).await;
    Sorted { open, past, puts, twice, due }
}
