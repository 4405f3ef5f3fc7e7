//! Reads for several calls that are made as one: one trip for all of them.

use super::batch::{self, Asker, Batch, Part, Term};
use super::judge::{Seen, Sound, Wanted};
use super::names::Named;
use super::reading::{Open, Then, ask, decide, names, settle, versions_of};
use super::server::{Fault, Found};
use super::versions::Versions;
use super::{Patience, Shared};
use crate::mark::Mark;
use std::time::Duration;

/// What becomes of one of them, by its place.
pub(super) type Visit<'a> = &'a mut (dyn FnMut(usize, &Sound<'_>) -> bool + Send);

/// Where what was found for one of them is put.
struct Slot<'a>(&'a mut Found);

impl Asker for Slot<'_> {
    fn answer(self, outcome: Result<Part<'_>, Fault>) {
        if let Ok(part) = outcome {
            *self.0 = part.collect();
        }
    }
}

/// Reads entries for a caller who makes nothing of them that stays: in the executor that this runs in, if that
/// has a connection. Of one function, so that most ask for the same versions. More than a read has room for
/// take several.
pub(super) async fn glance_all(
    shared: &Shared,
    wanted: &[Wanted<'_>],
    patience: &mut Patience,
    visit: Visit<'_>,
) -> Vec<Result<Seen, Fault>> {
    let mut seen = Vec::with_capacity(wanted.len());
    let mut open = Vec::new();
    while seen.len() < wanted.len() {
        let from = seen.len();
        let then = Then { before: shared.waiting(), generation: None, is_told_of: false };
        let (found, is_told_of) = match read_some(shared, &wanted[from..], patience).await {
            Ok(read) => read,
            Err(fault) => {
                seen.resize(wanted.len(), Err(fault));
                break;
            }
        };
        for (found, at) in found.into_iter().zip(from..) {
            let one = &wanted[at];
            let visit = &mut |sound: &Sound<'_>| visit(at, sound);
            let then = Then { before: then.before.clone(), is_told_of, ..then };
            seen.push(if found.len() == names(one).count() {
                decide(shared, one, found, then, visit).and_then(|decided| {
                    // Of those that are open, the answer is replaced.
                    decided.map_err(|it| open.push((at, it))).map_or(Err(Fault::Foreign), Ok)
                })
            } else {
                Err(Fault::Foreign)
            });
        }
    }
    let failed = learn_versions(shared, &mut open, patience).await.err();
    for (at, mut open) in open {
        let visit = &mut |sound: &Sound<'_>| visit(at, sound);
        // What of the ledger one of them has learned, the others know.
        let judged = open.judge_again(shared, &wanted[at], visit);
        seen[at] = match (judged, failed) {
            (Ok(Some(seen)), _) => Ok(seen),
            // It has been asked for in vain.
            (Ok(None), Some(fault)) if !open.lacking().is_empty() => Err(fault),
            (Ok(None), _) => settle(shared, &wanted[at], open, patience, visit).await,
            (Err(fault), _) => Err(fault),
        };
    }
    seen
}

/// Reads the versions that entries lack, with as few reads as there can be: most of them lack the same. What
/// came before a fault is learned all the same.
async fn learn_versions(
    shared: &Shared,
    open: &mut [(usize, Box<Open>)],
    patience: &mut Patience,
) -> Result<(), Fault> {
    let mut lacking: Vec<Mark> = open.iter().flat_map(|(_, it)| it.lacking()).copied().collect();
    lacking.sort_unstable();
    lacking.dedup();
    let mut known = Versions::default();
    let mut outcome = Ok(());
    for some in lacking.chunks(batch::MOST) {
        match versions_of(shared, some, patience).await {
            Ok(versions) => known.extend(versions),
            Err(fault) => {
                outcome = Err(fault);
                break;
            }
        }
    }
    for (_, it) in open {
        it.learn(&known);
    }
    outcome
}

/// What as many of them have as go with one read, and whether the server tells of what changes in it.
async fn read_some(
    shared: &Shared,
    wanted: &[Wanted<'_>],
    patience: &mut Patience,
) -> Result<(Vec<Found>, bool), Fault> {
    let mut found = vec![Found::new(); wanted.len()];
    let mut slots = found.iter_mut();
    let mut together = Batch::new();
    // Nobody waits for one of them alone.
    let term = Term::new(Duration::ZERO);
    let mut count = 0;
    for (one, slot) in wanted.iter().zip(&mut slots) {
        together.take(names(one), term, Slot(slot));
        count += 1;
        if together.is_full() {
            break;
        }
    }
    let asked: Vec<Named> = together.names().collect();
    let near = match shared.nears.as_ref().and_then(|nears| nears.here()) {
        Some(near) => {
            let asked = asked.clone();
            patience.spend(&*shared.link, |left| near.read(asked, left)).await?.transpose()?
        }
        None => None,
    };
    let is_told_of = near.is_none();
    let answer = if let Some(found) = near {
        found.into_vec()
    } else {
        let keys = asked.iter().map(|it| shared.names.of(*it)).collect();
        ask(shared, keys, false, patience).await?.0
    };
    if answer.len() != asked.len() {
        return Err(Fault::Foreign);
    }
    together.answer(Ok(answer));
    found.truncate(count);
    Ok((found, is_told_of))
}
