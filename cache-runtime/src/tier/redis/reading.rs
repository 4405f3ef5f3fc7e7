//! Reads an entry, and all that has to be known to decide whether it may be served.

use super::judge::{Known, Lack, Seen, Sound, Wanted, judge, valid_at};
use super::names::Named;
use super::planted::{self, Bug};
use super::queue::Outcome;
use super::server::{Bytes, Command, Key, Reply, Timed};
use super::versions::Versions;
use super::{Fault, Patience, Place, Shared, Version};
use crate::captured::{Captured, LedgerAt};
use crate::codec::envelope::Header;
use crate::entry::About;
use crate::lookup::Miss;
use crate::mark::Mark;
use crate::outward;
use crate::target::Target;
use std::time::Duration;

/// An entry of which it can't be said yet.
pub(super) struct Open {
    value: Bytes,
    known: Known,
    lack: Lack,
}

/// What stands in a version's key, mixed with the run of the server that says so.
pub(super) fn version(found: &Bytes) -> Option<Version> {
    let bytes: [u8; 16] = found.bytes[..].try_into().ok()?;
    Some(Version(std::array::from_fn(|at| bytes[at] ^ found.run[at])))
}

/// Reads an entry, and has the server tell of its end.
pub(super) async fn read(
    shared: &Shared,
    wanted: &Wanted<'_>,
    patience: &mut Patience,
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Seen, Fault> {
    let Place { mark, id } = *wanted.place;
    // Not for what it has: the server tells who waits of its end, and of nothing who does not.
    let lease = wanted.is_awaited.then_some(Named::Lease { mark, id });
    let keys = names(wanted).chain(lease).map(|it| shared.names.of(it)).collect();
    read_there(shared, wanted, keys, patience, visit).await
}

/// Reads an entry for a caller who makes nothing of it that stays, in the executor that this runs in if
/// that has a connection: there the server tells nobody of its end.
pub(super) async fn glance(
    shared: &Shared,
    wanted: &Wanted<'_>,
    patience: &mut Patience,
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Seen, Fault> {
    if let Some(near) = shared.nears.as_ref().and_then(|nears| nears.here()) {
        let then = Then { before: shared.waiting(), generation: None, is_told_of: false };
        let asked = names(wanted).collect();
        // Nothing of what is found is kept here: what may wait for long takes no more room than it must.
        let decided = patience
            .spend(&*shared.link, |left| near.read(asked, left))
            .await
            .and_then(|found| decide_nearby(shared, wanted, (found, then), visit))?;
        match decided {
            Some(Ok(seen)) => return Ok(seen),
            Some(Err(open)) => {
                return Box::pin(settle(shared, wanted, open, patience, visit)).await;
            }
            None => {}
        }
    }
    let keys = names(wanted).map(|it| shared.names.of(it)).collect();
    Box::pin(read_there(shared, wanted, keys, patience, visit)).await
}

/// Whether what was read in an executor may be served, or what that depends on. Nothing if it has to be
/// asked for elsewhere.
fn decide_nearby(
    shared: &Shared,
    wanted: &Wanted<'_>,
    (found, then): (Option<Outcome>, Then),
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Option<Result<Seen, Box<Open>>>, Fault> {
    match found.transpose()? {
        Some(found) if found.len() != names(wanted).count() => Err(Fault::Foreign),
        Some(found) => decide(shared, wanted, found, then, visit).map(Some),
        None => Ok(None),
    }
}

/// Reads an entry on the tier's own connection.
async fn read_there(
    shared: &Shared,
    wanted: &Wanted<'_>,
    keys: Vec<Key>,
    patience: &mut Patience,
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Seen, Fault> {
    let before = shared.waiting();
    let (found, generation) = ask(shared, keys, wanted.is_part, patience).await?;
    match decide(shared, wanted, found, Then { before, generation, is_told_of: true }, visit)? {
        Ok(seen) => Ok(seen),
        Err(open) => settle(shared, wanted, open, patience, visit).await,
    }
}

/// What is read for a call.
pub(super) fn names(wanted: &Wanted<'_>) -> impl Iterator<Item = Named> {
    let Place { mark, id } = *wanted.place;
    let versions = wanted.marks.iter().map(|mark| Named::Version(*mark));
    [Named::Value { mark, id }, Named::Ledger].into_iter().chain(versions)
}

/// Where the ledger stands. If it is another than before, and nobody told, what was kept under that
/// one is forgotten: what was added to it meanwhile is not known.
pub(super) fn stands(shared: &Shared, head: Option<&Bytes>, is_told_of: bool) -> Option<LedgerAt> {
    let now = head.and_then(|head| shared.ledger.at(head));
    if !shared.ledger.is_same(now, is_told_of) {
        shared.listener.lose();
    }
    now
}

/// What keys have, and the generation of that time if `is_part`.
pub(super) async fn ask(
    shared: &Shared,
    keys: Vec<Key>,
    is_part: bool,
    patience: &mut Patience,
) -> Result<(Vec<Option<Bytes>>, Option<Version>), Fault> {
    let count = keys.len();
    let (replies, generation) =
        shared.ask_in_generation(vec![Command::Read(keys)], is_part, patience).await?;
    match replies.into_iter().next() {
        Some(Reply::Found(found)) if found.len() == count => Ok((found, generation)),
        _ => Err(Fault::Foreign),
    }
}

/// How things stood when something was read.
pub(super) struct Then {
    /// What waited to be delivered.
    pub(super) before: Vec<Target>,
    pub(super) generation: Option<Version>,
    /// Whether the server tells of what changes in it.
    pub(super) is_told_of: bool,
}

/// Whether what was read for a call may be served, or what that depends on.
pub(super) fn decide(
    shared: &Shared,
    wanted: &Wanted<'_>,
    found: impl IntoIterator<Item = Option<Bytes>>,
    Then { before, generation, is_told_of }: Then,
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Result<Seen, Box<Open>>, Fault> {
    let mut found = found.into_iter();
    let (value, head) = (found.next().flatten(), found.next().flatten());
    let ledger = stands(shared, head.as_ref(), is_told_of);
    let Some(value) = value else { return Ok(Ok(Seen::Miss(Miss::Absent))) };
    // What is behind the versions is not asked for what it has.
    let versions = found.map(|found| found.as_ref().and_then(version));
    let versions = wanted.marks.iter().copied().zip(versions).collect();
    let known = Known { versions, ledger, recent: None, waited: before, generation };
    let judged = judge(shared, wanted, &value, &known, visit)?;
    Ok(judged.map_err(|lack| Box::new(Open { value, known, lack })))
}

/// The same once more is known.
pub(super) async fn settle(
    shared: &Shared,
    wanted: &Wanted<'_>,
    mut open: Box<Open>,
    patience: &mut Patience,
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Seen, Fault> {
    loop {
        let Open { known, lack, .. } = &mut *open;
        learn(shared, known, lack, patience).await?;
        if let Some(seen) = open.judge_again(shared, wanted, visit)? {
            return Ok(seen);
        }
    }
}

impl Open {
    /// The marks whose versions it lacks.
    pub(super) fn lacking(&self) -> &[Mark] {
        match &self.lack {
            Lack::Versions(marks) => marks,
            Lack::Recent(..) => &[],
        }
    }

    /// Takes those that it lacks.
    pub(super) fn learn(&mut self, versions: &Versions) {
        let lacking = self.lacking().iter().filter(|mark| versions.has(**mark));
        let learned: Vec<_> = lacking.map(|mark| (*mark, versions.get(*mark))).collect();
        self.known.versions.extend(learned);
    }

    /// Looks at it once more. Nothing if it lacks something still.
    pub(super) fn judge_again(
        &mut self,
        shared: &Shared,
        wanted: &Wanted<'_>,
        visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
    ) -> Result<Option<Seen>, Fault> {
        let judged = judge(shared, wanted, &self.value, &self.known, visit)?;
        Ok(judged.map_err(|lack| self.lack = lack).ok())
    }
}

/// What marks have.
pub(super) async fn versions_of(
    shared: &Shared,
    marks: &[Mark],
    patience: &mut Patience,
) -> Result<Vec<(Mark, Option<Version>)>, Fault> {
    let keys = marks.iter().map(|mark| shared.names.version(*mark)).collect();
    let (found, _) = ask(shared, keys, false, patience).await?;
    let versions = found.iter().map(|found| found.as_ref().and_then(version));
    Ok(marks.iter().copied().zip(versions).collect())
}

/// Reads what is lacking.
async fn learn(
    shared: &Shared,
    known: &mut Known,
    lack: &Lack,
    patience: &mut Patience,
) -> Result<(), Fault> {
    match lack {
        Lack::Versions(marks) => {
            known.versions.extend(versions_of(shared, marks, patience).await?);
        }
        Lack::Recent(since, now) => {
            known.recent = Some(shared.learn_recent(*since, *now, patience).await?);
        }
    }
    Ok(())
}

/// What a copy of an entry was found to be valid under by now, and how long the entry is fresh. Nothing if
/// the copy may not be served: if the entry is not there, or another in its place, or not valid.
pub(super) async fn check(
    shared: &Shared,
    wanted: &Wanted<'_>,
    (captured, about): (&Captured, &About),
    patience: &mut Patience,
) -> Result<Option<(Captured, Duration)>, Fault> {
    let names = &shared.names;
    let marks: Vec<_> = captured.versions().map(|(mark, _)| mark).collect();
    let versions = marks.iter().map(|mark| names.version(*mark));
    let keys = versions.chain([names.ledger()]).collect();
    let commands = vec![Command::Identify(names.value(wanted.place)), Command::Read(keys)];
    let before = shared.waiting();
    let (replies, generation) =
        shared.ask_in_generation(commands, wanted.is_part, patience).await?;
    let [Reply::Found(there), Reply::Found(found)] = &replies[..] else {
        return Err(Fault::Foreign);
    };
    let there = there.first().and_then(Option::as_ref).and_then(|it| Header::identity(&it.bytes));
    let Some((origin, expires)) = there else { return Ok(None) };
    let is_it = origin == captured.origin || planted::is(Bug::CopyOfAnotherValue);
    let now = shared.link.time(&|| shared.names.value(wanted.place));
    let Some(Timed { latest, .. }) = now else { return Err(Fault::Down) };
    let left = Duration::from_nanos(expires).saturating_sub(latest);
    let (Some((head, versions)), true) = (found.split_last(), is_it && !left.is_zero()) else {
        return Ok(None);
    };
    let versions = versions.iter().map(|found| found.as_ref().and_then(version));
    let mut known = Known {
        versions: marks.into_iter().zip(versions).collect(),
        ledger: stands(shared, head.as_ref(), true),
        recent: None,
        waited: before,
        generation,
    };
    // Only what it carries is asked for.
    let about = || outward::outward(about);
    loop {
        match valid_at(shared, captured, &known, &about) {
            Ok(valid_at) => {
                let captured = |now| captured.clone().compared(now, generation);
                return Ok(valid_at.map(|now| (captured(now), left)));
            }
            Err(lack) => learn(shared, &mut known, &lack, patience).await?,
        }
    }
}
