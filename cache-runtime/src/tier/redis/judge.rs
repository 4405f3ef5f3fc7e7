//! Decides whether what was read may be served, without asking anybody.
//!
//! 1. What it would have to know and was not told, it names. Who asks comes back with that.

use super::complaints::Complaint;
use super::ledger::Recent;
use super::planted::{self, Bug};
use super::server::{Bytes, Timed};
use super::versions::Versions;
use super::wire::RECENT;
use super::{Fault, LONGEST, Place, Shared};
use crate::captured::{Captured, LedgerAt, Version};
use crate::codec::envelope::Envelope;
use crate::culprit::{Blame, Culprit};
use crate::entry::About;
use crate::lookup::Miss;
use crate::mark::Mark;
use crate::outward;
use crate::target::Target;
use std::sync::Arc;
use std::time::Duration;

/// What a reader asks for.
pub(crate) struct Wanted<'a> {
    pub(crate) place: &'a Place,
    /// What the value is known by before it is computed.
    pub(crate) marks: &'a [Mark],
    /// The canonical key, behind its function's identity.
    pub(crate) key: &'a [u8],
    pub(crate) shape: [u8; 16],
    /// Whether it is for something that is to be kept there itself.
    pub(crate) is_part: bool,
    /// Whether somebody computes it, whose end this waits for.
    pub(crate) is_awaited: bool,
    /// For how long its time may be over.
    pub(crate) linger: Duration,
    /// Where to say what overtook it.
    pub(crate) blame: Option<&'a Blame>,
}

/// An entry that may be served.
pub(crate) struct Sound<'a> {
    pub(crate) envelope: Envelope<'a>,
    pub(crate) captured: Captured,
    /// That of when it was found to be valid, if it was asked for.
    generation: Option<Version>,
    pub(crate) age: Duration,
    /// How long it is fresh.
    pub(crate) left: Duration,
    /// For how long its time has been over.
    pub(crate) late: Duration,
}

/// What a look-up came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It was shown, and taken.
    Hit,
    Miss(Miss),
}

/// What was read of versions and ledger.
pub(super) struct Known {
    pub(super) versions: Versions,
    pub(super) ledger: Option<LedgerAt>,
    /// The list that goes with that place, or one that reaches further, if it was asked for.
    pub(super) recent: Option<Recent>,
    /// What waited to be delivered before they were read: it may have been since.
    pub(super) waited: Vec<Target>,
    /// That of when they were read, if it was asked for.
    pub(super) generation: Option<Version>,
}

/// What was not read, and has to be.
pub(super) enum Lack {
    Versions(Vec<Mark>),
    /// The list from one place to another.
    Recent(u64, LedgerAt),
}

/// Shows an entry, if it may be served.
pub(super) fn judge(
    shared: &Shared,
    wanted: &Wanted<'_>,
    Bytes { bytes, .. }: &Bytes,
    known: &Known,
    visit: &mut (dyn FnMut(&Sound<'_>) -> bool + Send),
) -> Result<Result<Seen, Lack>, Fault> {
    let miss = |why| Ok(Ok(Seen::Miss(why)));
    let damaged = || {
        let key = || format!("`{}`", shared.names.value(wanted.place).escape_ascii());
        shared.complaints.say(Complaint::Damaged, key);
        miss(Miss::Undecodable)
    };
    if bytes.len() > LONGEST {
        return damaged();
    }
    let Ok(envelope) = Envelope::parse(bytes) else { return damaged() };
    if envelope.header.shape != wanted.shape || envelope.key != wanted.key {
        return miss(Miss::Absent);
    }
    let Some(mut captured) = Captured::read(envelope.versions) else {
        return damaged();
    };
    // Of another version of the program, it may not know of all that it depends on here.
    if !wanted.marks.iter().all(|mark| captured.get(*mark).is_some()) {
        return miss(Miss::Absent);
    }
    let about = || outward::about(&envelope.header, envelope.names.clone());
    let now = match valid_at(shared, &captured, known, &about) {
        Ok(Some(now)) => now,
        Ok(None) => {
            let changed = || captured.versions().find(|it| !is_current(known, *it));
            if let Some((blame, (mark, _))) = wanted.blame.zip(changed()) {
                let _ = blame.set(Culprit::Name(mark));
            }
            return miss(Miss::Invalidated);
        }
        Err(lack) => return Ok(Err(lack)),
    };
    // So what is made of it is not held to what was listed before that began.
    captured.ledger = now;
    captured.origin = envelope.header.incarnation;
    let now = shared.link.time(&|| shared.names.value(wanted.place));
    let Some(Timed { earliest, latest }) = now else { return Err(Fault::Down) };
    let end = Duration::from_nanos(envelope.header.expires);
    let (left, late) = (end.saturating_sub(latest), latest.saturating_sub(end));
    if left.is_zero() && late >= wanted.linger {
        return miss(Miss::Expired);
    }
    let age = earliest.saturating_sub(Duration::from_nanos(envelope.header.created));
    let sound = Sound { envelope, captured, generation: known.generation, age, left, late };
    if visit(&sound) { Ok(Ok(Seen::Hit)) } else { damaged() }
}

/// Whether a name has the version still that it had.
fn is_current(known: &Known, (mark, version): (Mark, Version)) -> bool {
    match known.versions.get(mark) {
        Some(now) => now == version,
        None => planted::is(Bug::MissingVersionMatches),
    }
}

/// Up to where in the list nothing was invalidated that a value depends on, since its versions were
/// captured. Nothing if something was.
pub(super) fn valid_at(
    shared: &Shared,
    captured: &Captured,
    known: &Known,
    about: &dyn Fn() -> About,
) -> Result<Option<LedgerAt>, Lack> {
    let more = captured.versions().map(|(mark, _)| mark);
    let more: Vec<_> = more.filter(|mark| !known.versions.has(*mark)).collect();
    if !more.is_empty() {
        return Err(Lack::Versions(more));
    }
    if !captured.versions().all(|it| is_current(known, it)) {
        return Ok(None);
    }
    let Some(now) = known.ledger.filter(|now| now.epoch == captured.ledger.epoch) else {
        return Ok(None);
    };
    if now.position != captured.ledger.position {
        let since = captured.ledger.position;
        if now.position.checked_sub(since).is_none_or(|added| added > RECENT as u64) {
            // The list does not reach back that far.
            return Ok(None);
        }
        let recent = known.recent.clone().or_else(|| shared.ledger.list(since, now));
        let recent = recent.ok_or(Lack::Recent(since, now))?;
        if !recent.is_silent_on(since, now.position, &about()) {
            return Ok(None);
        }
    }
    let later = shared.waiting();
    let mut waiting = known.waited.iter().chain(&later).peekable();
    if waiting.peek().is_none() {
        return Ok(Some(now));
    }
    let about = about();
    Ok((!waiting.any(|target| target.holds_for(&about))).then_some(now))
}

impl Sound<'_> {
    /// What is known of its value.
    pub(crate) fn about(&self) -> About {
        let captured = self.captured.clone();
        let ledger = captured.ledger;
        let captured = Some(Arc::new(captured.compared(ledger, self.generation)));
        let about = outward::about(&self.envelope.header, self.envelope.names.clone());
        About { captured, ..about }
    }
}
