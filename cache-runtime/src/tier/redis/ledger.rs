//! The list of those invalidations that name no single mark, as a server keeps it.
//!
//! A value knows the place in the list at which its computation began: what was added later decides
//! whether it is valid. Where the list does not reach back that far, or is another, it is not.
//!
//! 1. What is kept in this process and was found valid there has been held to everything that was added
//!    up to the place that this process has caught up with.
//! 2. It catches up when it is told that something was added: what that holds for is invalidated here,
//!    and nothing else. Where that can't be told, everything is forgotten.

use super::planted::{self, Bug};
use super::server::{Bytes, Command, Fault, Patience, Reply, Run};
use super::{Shared, wire};
use crate::captured::{Captured, LedgerAt, Version};
use crate::entry::About;
use crate::sync::Mutex;
use crate::target::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many entries are asked for at least: while a process asks, more may be added.
const FEW: usize = 16;

/// The list of the ledger, as far as it is known here.
#[derive(Default)]
pub(super) struct Ledger {
    /// What stood in its key when that was read last, and what that means.
    head: Mutex<Option<(Bytes, LedgerAt)>>,
    recent: Mutex<Option<Recent>>,
    /// Up to where all that was added is recorded in this process. Nothing while nothing is kept here
    /// that was found valid under it.
    caught_up: Mutex<Option<LedgerAt>>,
    /// How often it was forgotten where that is. Changed under the lock of it.
    losses: AtomicU64,
    /// How many entries it had when its key was read last.
    entries: AtomicU64,
}

/// Consecutive entries of the list.
#[derive(Clone, Debug)]
pub(super) struct Recent {
    epoch: Version,
    /// The place behind which they begin.
    behind: u64,
    entries: Arc<Vec<Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    target: Target,
    length: usize,
}

impl Ledger {
    /// Takes note that everything has been forgotten.
    pub(super) fn forget(&self) {
        let mut caught_up = self.caught_up.lock();
        *caught_up = None;
        self.losses.fetch_add(1, Relaxed);
        drop(caught_up);
        // Where another server is trusted, it may go on from an earlier place.
        *self.recent.lock() = None;
        *self.head.lock() = None;
    }

    /// How many entries it had, and how many bytes these had when they were last read.
    pub(super) fn size(&self) -> (u64, u64) {
        let recent = self.recent.lock();
        let entries = recent.iter().flat_map(|it| &*it.entries);
        (self.entries.load(Relaxed), entries.map(|it| it.length as u64).sum())
    }

    /// Where it stands, by what is in its key.
    pub(super) fn at(&self, head: &Bytes) -> Option<LedgerAt> {
        let mut last = self.head.lock();
        if let Some((bytes, at)) = &*last
            && bytes == head
        {
            return Some(*at);
        }
        let at = self::head(head)?;
        *last = Some((head.clone(), at));
        Some(at)
    }

    /// Whether it may be the one that this process keeps up with. If that is none, it is this from now
    /// on, unless it was read where nobody tells of what is added.
    pub(super) fn is_same(&self, now: Option<LedgerAt>, is_told_of: bool) -> bool {
        let entries = now.map_or(0, |it| it.position.min(wire::RECENT as u64));
        self.entries.store(entries, Relaxed);
        let mut caught_up = self.caught_up.lock();
        let is_same = caught_up.is_none_or(|it| now.is_some_and(|now| now.epoch == it.epoch));
        if !is_same || caught_up.is_none() {
            *caught_up = now.filter(|_| is_told_of);
        }
        is_same
    }

    /// Whether nothing that was added since, up to where this process has caught up, holds for a value.
    pub(super) fn is_silent_since(&self, at: LedgerAt, about: &dyn Fn() -> About) -> bool {
        let now = *self.caught_up.lock();
        now.filter(|now| now.epoch == at.epoch).is_some_and(|now| {
            let (since, now_at) = (at.position, now.position);
            let silent = |list: Recent| list.is_silent_on(since, now_at, &about());
            since >= now_at || self.list(since, now).is_some_and(silent)
        })
    }

    /// What a computation begins with that was captured just now.
    pub(super) fn beginning(&self, captured: Captured) -> Captured {
        let caught_up = self.caught_up.lock();
        let has_heard = *caught_up == Some(captured.ledger);
        let losses = self.losses.load(Relaxed);
        drop(caught_up);
        captured.heard(has_heard.then_some(losses))
    }

    /// What a computation began with, once it is over. After a loss, an answer from before may have been
    /// followed: what was found valid then was held to less than that.
    pub(super) fn ending(&self, captured: Captured) -> Captured {
        let losses = self.losses.load(Relaxed);
        let heard = captured.has_heard().filter(|before| *before == losses);
        captured.heard(heard)
    }

    /// Takes note that everything that was added up to there is recorded, if it is the same one still.
    fn follow(&self, now: LedgerAt) {
        if let Some(at) = &mut *self.caught_up.lock()
            && at.epoch == now.epoch
        {
            at.position = at.position.max(now.position);
        }
    }

    /// The list from one place to another, if it is known.
    pub(super) fn list(&self, since: u64, now: LedgerAt) -> Option<Recent> {
        let recent = self.recent.lock().clone().filter(|it| it.epoch == now.epoch)?;
        recent.reaches(since, now.position).then_some(recent)
    }

    /// How many of the last entries are to be asked for, to know those from one place to another.
    fn lacking(&self, since: u64, now: LedgerAt) -> usize {
        let recent = self.recent.lock();
        let known = recent.as_ref().filter(|it| it.epoch == now.epoch && it.behind <= since);
        let from = known.map_or(since, |it| it.end().max(since));
        let lacking = usize::try_from(now.position.saturating_sub(from)).unwrap_or(usize::MAX);
        lacking.saturating_add(FEW).min(wire::RECENT)
    }

    /// Takes in what was read of a list's end. Of what doesn't connect to what is known, the later is
    /// kept.
    fn keep(&self, epoch: Version, read: &[Vec<u8>], run: Run) -> Recent {
        let read = Recent::read(epoch, read, run);
        let mut recent = self.recent.lock();
        let kept = match recent.take().filter(|it| it.epoch == epoch) {
            Some(known) => known.and(read),
            None => read,
        };
        recent.insert(kept).clone()
    }
}

impl Recent {
    /// What makes no sense or is of another list, and what stands before that, is left out.
    fn read(epoch: Version, read: &[Vec<u8>], run: Run) -> Self {
        let mut behind = 0;
        let mut entries = Vec::with_capacity(read.len());
        for entry in read {
            let parsed = parse(entry, run).filter(|(at, _)| at.epoch == epoch);
            let before = parsed.as_ref().and_then(|(at, _)| at.position.checked_sub(1));
            let (Some(before), Some((_, target))) = (before, parsed) else {
                entries.clear();
                continue;
            };
            if before.checked_sub(behind) != Some(entries.len() as u64) {
                entries.clear();
            }
            if entries.is_empty() {
                behind = before;
            }
            entries.push(Arc::new(Entry { target, length: entry.len() }));
        }
        Self { epoch, behind, entries: Arc::new(entries) }
    }

    fn end(&self) -> u64 {
        self.behind + self.entries.len() as u64
    }

    /// All of two that overlap or meet; of others, the later.
    fn and(self, other: Self) -> Self {
        let (first, second) =
            if self.behind <= other.behind { (self, other) } else { (other, self) };
        if first.end() >= second.behind { first.with(&second) } else { second }
    }

    /// The same, and what comes later of another one that does not begin later than this ends.
    fn with(mut self, later: &Self) -> Self {
        let entries = Arc::make_mut(&mut self.entries);
        let end = self.behind + entries.len() as u64;
        entries.extend(later.after(end).iter().cloned());
        let surplus = entries.len().saturating_sub(wire::RECENT);
        entries.drain(..surplus);
        self.behind += surplus as u64;
        self
    }

    /// What was added after a place that it reaches back to.
    fn after(&self, place: u64) -> &[Arc<Entry>] {
        let at = usize::try_from(place.saturating_sub(self.behind)).unwrap_or(usize::MAX);
        self.entries.get(at..).unwrap_or_default()
    }

    fn reaches(&self, since: u64, now: u64) -> bool {
        // A list that does not reach as far as it did is not the one it was.
        self.behind <= since && since <= now && now <= self.end()
    }

    /// What was added after `since`, up to `now` at least. Nothing if that can't be told.
    fn later(&self, since: u64, now: u64) -> Option<impl Iterator<Item = &Target>> {
        self.reaches(since, now).then(|| self.after(since).iter().map(|it| &it.target))
    }

    /// Whether nothing that was added after `since`, up to `now`, holds for a value.
    pub(super) fn is_silent_on(&self, since: u64, now: u64, about: &About) -> bool {
        match self.later(since, now) {
            Some(mut later) => !later.any(|target| target.holds_for(about)),
            None => planted::is(Bug::LedgerGapIsSilence),
        }
    }
}

impl Shared {
    /// Reads so much of the list that it reaches from one place to another, if it does.
    pub(super) async fn learn_recent(
        &self,
        since: u64,
        now: LedgerAt,
        patience: &mut Patience,
    ) -> Result<Recent, Fault> {
        let count = self.ledger.lacking(since, now);
        let commands = vec![Command::Recent { key: self.names.recent(), count }];
        let replies = patience.ask(&*self.link, commands).await?;
        match replies.into_iter().next() {
            Some(Reply::Recent(read, run)) => Ok(self.ledger.keep(now.epoch, &read, run)),
            _ => Err(Fault::Foreign),
        }
    }

    /// What is asked for to catch up: that the next addition is told of, and what was added.
    pub(super) fn news(&self) -> [Command; 2] {
        let read = Command::Read(vec![self.names.ledger()]);
        [read, Command::Recent { key: self.names.recent(), count: FEW }]
    }

    /// Records what was added to the list since this process did so last, or forgets everything.
    pub(super) async fn catch_up(&self) {
        let mut patience = Patience::new(self.settings.deadline);
        let replies = patience.ask(&*self.link, self.news().to_vec()).await;
        self.catch_up_with(replies.as_deref().unwrap_or_default(), &mut patience).await;
    }

    /// The same, once what is asked for to do so has been.
    pub(super) async fn catch_up_with(&self, news: &[Reply], patience: &mut Patience) {
        let before = *self.ledger.caught_up.lock();
        let is_done = match before {
            Some(before) => self.record_after(before, news, patience).await.unwrap_or(false),
            // Nothing was followed since all was forgotten, but somebody may be about to keep what was
            // read before.
            None => false,
        };
        if !is_done {
            self.lose_track();
        }
    }

    /// Forgets everything here, and then where it stood: nobody is to take what is kept for heard of.
    pub(super) fn lose_track(&self) {
        self.listener.lose();
        self.ledger.forget();
    }

    /// False if what was added can't be told.
    async fn record_after(
        &self,
        before: LedgerAt,
        news: &[Reply],
        patience: &mut Patience,
    ) -> Result<bool, Fault> {
        let [Reply::Found(found), Reply::Recent(read, run)] = news else { return Ok(false) };
        let head = found.first().and_then(Option::as_ref).and_then(|head| self.ledger.at(head));
        let Some(now) = head.filter(|now| now.epoch == before.epoch) else { return Ok(false) };
        let mut recent = self.ledger.keep(now.epoch, read, *run);
        if recent.later(before.position, now.position).is_none() {
            recent = self.learn_recent(before.position, now, patience).await?;
        }
        let Some(later) = recent.later(before.position, now.position) else { return Ok(false) };
        let later = later.filter(|_| !planted::is(Bug::AnnouncedNotRecorded));
        later.for_each(|target| self.listener.hear(target));
        self.ledger.follow(now);
        Ok(true)
    }
}

/// The longest entry. What is longer becomes an invalidation of everything.
const LONGEST: usize = 4_096;

/// What goes into the list. Nothing if it is not for the list: single marks, or everything.
pub(super) fn entry(target: &Target) -> Option<Vec<u8>> {
    match target {
        Target::All(_) | Target::Matching(_) => {
            Some(target.bytes()).filter(|bytes| bytes.len() <= LONGEST)
        }
        Target::Any(_) | Target::Everything => None,
    }
}

/// Where the list stands, mixed with the run of the server that says so.
pub(super) fn head(found: &Bytes) -> Option<LedgerAt> {
    let (epoch, position) = std::str::from_utf8(&found.bytes).ok()?.split_once(':')?;
    Some(LedgerAt { epoch: self::epoch(epoch, found.run)?, position: position.parse().ok()? })
}

fn epoch(text: &str, run: Run) -> Option<Version> {
    let epoch = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    Some(Version((epoch ^ u128::from_be_bytes(run)).to_be_bytes()))
}

/// Where an entry stands, and in which list.
fn parse(entry: &[u8], run: Run) -> Option<(LedgerAt, Target)> {
    let mut parts = entry.splitn(3, |it| *it == b':');
    let mut text = || parts.next().and_then(|it| std::str::from_utf8(it).ok());
    let position = text()?.parse().ok()?;
    let at = LedgerAt { epoch: epoch(text()?, run)?, position };
    Some((at, Target::parse(parts.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Recent, entry, head};
    use crate::captured::Version;
    use crate::clock::Moment;
    use crate::entry::{About, Marks};
    use crate::mark::Mark;
    use crate::pattern::Pattern;
    use crate::target::Target;
    use crate::tier::redis::server::Bytes;

    const EPOCH: Version = Version([3; 16]);

    fn listed(position: u64, target: &Target) -> Vec<u8> {
        let mut text = format!("{position}:{}:", "03".repeat(16)).into_bytes();
        text.extend(entry(target).unwrap());
        text
    }

    fn about() -> About {
        let marks = Marks::from_slice(&[Mark::tag("a"), Mark::tag("b")]);
        About::of_bypassed(marks, Some("context:7".into()), Moment::NEVER)
    }

    fn is_silent_on(read: &[Vec<u8>], since: u64, now: u64, about: &About) -> bool {
        Recent::read(EPOCH, read, [0; 16]).is_silent_on(since, now, about)
    }

    #[test]
    fn what_came_later_and_holds_for_a_value_speaks_of_it() {
        let both = Target::All(vec![Mark::tag("a"), Mark::tag("b")]);
        let other = Target::All(vec![Mark::tag("a"), Mark::tag("c")]);
        let pattern = Target::Matching(Pattern::parse("context:*").unwrap());
        let about = about();
        assert!(is_silent_on(&[listed(8, &other)], 7, 8, &about));
        assert!(!is_silent_on(&[listed(8, &other), listed(9, &both)], 7, 9, &about));
        assert!(!is_silent_on(&[listed(8, &pattern)], 7, 8, &about));
        assert!(is_silent_on(&[listed(8, &pattern)], 8, 8, &about));
    }

    #[test]
    fn a_list_with_something_missing_is_not_silent() {
        let other = Target::All(vec![Mark::tag("c")]);
        let about = about();
        assert!(!is_silent_on(&[], 7, 8, &about));
        assert!(!is_silent_on(&[listed(9, &other)], 7, 9, &about));
        assert!(!is_silent_on(&[listed(8, &other), listed(10, &other)], 7, 10, &about));
        assert!(!is_silent_on(&[[&listed(8, &other)[..35], b"?"].concat()], 7, 8, &about));
    }

    #[test]
    fn what_is_read_of_the_end_is_put_behind_what_is_known() {
        let ledger = Ledger::default();
        let other = Target::All(vec![Mark::tag("c")]);
        let some = |places: std::ops::RangeInclusive<u64>| {
            places.map(|at| listed(at, &other)).collect::<Vec<_>>()
        };
        let ends = |recent: Recent| (recent.behind, recent.end());
        assert_eq!(ends(ledger.keep(EPOCH, &some(5..=8), [0; 16])), (4, 8));
        assert_eq!(ends(ledger.keep(EPOCH, &some(7..=10), [0; 16])), (4, 10));
        assert_eq!(ends(ledger.keep(EPOCH, &some(11..=11), [0; 16])), (4, 11));
        assert_eq!(ends(ledger.keep(EPOCH, &some(6..=9), [0; 16])), (4, 11), "it came late");
        assert_eq!(
            ends(ledger.keep(EPOCH, &some(2..=7), [0; 16])),
            (1, 11),
            "it reaches back further"
        );
        assert_eq!(ends(ledger.keep(EPOCH, &some(13..=14), [0; 16])), (12, 14), "one is missing");
        assert_eq!(ends(ledger.keep(EPOCH, &some(2..=15), [0; 16])), (1, 15), "it has all");
        assert_eq!(ends(ledger.keep(EPOCH, &some(3..=5), [0; 16])), (1, 15), "it says nothing new");
        let long = some(15..=15 + crate::tier::redis::wire::RECENT as u64);
        assert_eq!(
            ledger.keep(EPOCH, &long, [0; 16]).entries.len(),
            long.len() - 1,
            "it is bounded"
        );
        assert_eq!(
            ends(ledger.keep(Version([4; 16]), &some(2..=3), [7; 16])),
            (1, 3),
            "it is another"
        );
        let left = ledger.keep(Version([5; 16]), &some(1..=2), [0; 16]);
        assert_eq!(ends(left), (0, 0), "these are left of one that has ended");
    }

    #[test]
    fn a_head_is_told_from_what_is_none() {
        let found = |text: &str| Bytes { bytes: text.as_bytes().into(), run: [1; 16] };
        let at = head(&found("000102030405060708090a0b0c0d0e0f:12")).unwrap();
        assert_eq!(at.position, 12);
        assert_eq!(at.epoch.0[..3], [1, 0, 3]);
        for text in ["", "12", "00:1", "000102030405060708090a0b0c0d0e0f:-1"] {
            assert_eq!(head(&found(text)), None, "{text}");
        }
    }
}
