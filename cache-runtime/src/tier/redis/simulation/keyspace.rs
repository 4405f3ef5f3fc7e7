//! The keys of a server, and who is told when one of them changes.
//!
//! As Redis has it with `CLIENT TRACKING ON NOLOOP`: reads are remembered, whether they found
//! anything or not; who changed a key itself is not told, but its reads of it are forgotten as all
//! others are; and what is told is told once.

use super::super::planted::{self, Bug};
use super::super::server::{Bytes, Command, Key, Refusal, Reply, Run};
use super::super::wire;
use crate::codec::envelope::Header;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many of the ledger's entries are kept here: few, so that some are soon missed.
const RECENT: usize = 2;

/// One connection, of all there have ever been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line(pub(super) u64);

#[derive(Clone)]
pub(super) enum Item {
    Bytes(Vec<u8>),
    List(Vec<Vec<u8>>),
}

#[derive(Clone)]
pub(super) struct Kept {
    pub(super) item: Item,
    pub(super) expires: Option<Duration>,
}

pub(super) type Keys = BTreeMap<Key, Kept>;

/// What a change comes to, for whoever watches over the world.
pub(super) enum Happened {
    Told(Line, Key),
    Stored(Key),
    /// A key that was there is gone, or has another content.
    Gone(Vec<u8>),
    /// Somebody is told of a key that lasts longer now, and had always lasted for long enough.
    ToldInVain,
}

#[derive(Default)]
pub(super) struct Keyspace {
    pub(super) keys: Keys,
    pub(super) run: Run,
    pub(super) is_full: bool,
    readers: BTreeMap<Key, BTreeSet<Line>>,
    happened: Vec<Happened>,
    /// What anyone was told that was left of a key.
    shortest: BTreeMap<Key, Duration>,
}

/// Who does something, and when.
#[derive(Clone, Copy)]
pub(super) struct Doer {
    /// Nobody, if the server does it itself.
    pub(super) line: Option<Line>,
    pub(super) now: Duration,
}

impl Keyspace {
    /// What has happened since this was asked last.
    pub(super) fn happened(&mut self) -> Vec<Happened> {
        std::mem::take(&mut self.happened)
    }

    /// Starts anew, with these keys.
    pub(super) fn restart(&mut self, keys: Keys, run: Run) {
        let shortest = std::mem::take(&mut self.shortest);
        *self = Self { keys, run, is_full: self.is_full, shortest, ..Self::default() };
    }

    pub(super) fn forget_reader(&mut self, line: Line) {
        self.readers.values_mut().for_each(|lines| {
            lines.remove(&line);
        });
    }

    /// Removes everything, and forgets who read any of it.
    pub(super) fn flush(&mut self) -> Keys {
        self.readers.clear();
        std::mem::take(&mut self.keys)
    }

    fn changed(&mut self, key: &Key, by: Doer) {
        let readers = self.readers.remove(key).unwrap_or_default();
        let told = readers.into_iter().filter(|line| Some(*line) != by.line);
        self.happened.extend(told.map(|line| Happened::Told(line, key.clone())));
    }

    fn put(&mut self, key: &Key, item: Item, expires: Option<Duration>, by: Doer) {
        let old = self.keys.insert(key.clone(), Kept { item, expires });
        if let Some(Kept { item: Item::Bytes(bytes), .. }) = old {
            self.happened.push(Happened::Gone(bytes));
        }
        self.changed(key, by);
    }

    pub(super) fn remove(&mut self, key: &Key, by: Doer) -> bool {
        let Some(old) = self.keys.remove(key) else { return false };
        if let Item::Bytes(bytes) = old.item {
            self.happened.push(Happened::Gone(bytes));
        }
        self.changed(key, by);
        true
    }

    /// Makes a key end; false if there is none.
    pub(super) fn expire(&mut self, key: &Key, at: Duration, by: Doer) -> bool {
        let Some(kept) = self.live(key, by) else { return false };
        kept.expires = Some(at);
        self.changed(key, by);
        true
    }

    /// Removes what has expired.
    pub(super) fn sweep(&mut self, now: Duration) {
        let has_expired = |kept: &Kept| kept.expires.is_some_and(|it| it <= now);
        let expired: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, it)| has_expired(it))
            .map(|(key, _)| key.clone())
            .collect();
        for key in expired {
            self.remove(&key, Doer { line: None, now });
        }
    }

    /// Looks a key up. What has expired goes, in the name of who asks.
    fn live(&mut self, key: &Key, by: Doer) -> Option<&mut Kept> {
        if self.keys.get(key)?.expires.is_some_and(|it| it <= by.now) {
            self.remove(key, by);
            return None;
        }
        self.keys.get_mut(key)
    }

    fn bytes(&mut self, key: &Key, by: Doer) -> Option<Vec<u8>> {
        match &self.live(key, by)?.item {
            Item::Bytes(bytes) => Some(bytes.clone()),
            Item::List(_) => None,
        }
    }

    fn track(&mut self, key: &Key, by: Doer) {
        if let Some(line) = by.line {
            self.readers.entry(key.clone()).or_default().insert(line);
        }
    }

    fn read(&mut self, key: &Key, by: Doer) -> Option<Vec<u8>> {
        let found = self.bytes(key, by);
        self.track(key, by);
        found
    }

    /// Carries out one command. `created` is what the trip it is a part of has made.
    pub(super) fn execute(
        &mut self,
        command: &Command,
        created: &mut BTreeSet<Key>,
        by: Doer,
    ) -> Reply {
        let end = |ttl: Duration| by.now.checked_add(ttl);
        let grows = matches!(
            command,
            Command::Create { .. }
                | Command::Settle { .. }
                | Command::Lease { .. }
                | Command::Store { .. }
                | Command::Announce { .. }
        );
        if grows && self.is_full {
            return Reply::Refused(Refusal::Full);
        }
        match command {
            Command::Read(keys) => {
                Reply::Found(keys.iter().map(|it| self.found(it, created, by)).collect())
            }
            Command::Create { key, bytes, ttl } => {
                if self.live(key, by).is_some() {
                    return Reply::Done(false);
                }
                self.put(key, Item::Bytes(bytes.clone()), ttl.and_then(end), by);
                created.insert(key.clone());
                Reply::Done(true)
            }
            Command::Settle { key, bytes, ttl } => {
                let found = self.bytes(key, by).unwrap_or_else(|| {
                    self.put(key, Item::Bytes(bytes.clone()), end(*ttl), by);
                    bytes.clone()
                });
                Reply::Found(vec![Some(Bytes { bytes: found.into(), run: self.run })])
            }
            Command::Remaining(key) => {
                let left = self.remaining(key, by);
                if !is_unread(key, created) {
                    self.track(key, by);
                }
                Reply::Remaining(left)
            }
            Command::Identify(key) => {
                let found = self.read(key, by);
                let found = found.and_then(|it| Some(it.get(Header::IDENTITY)?.into()));
                Reply::Found(vec![found.map(|bytes| Bytes { bytes, run: self.run })])
            }
            Command::Slots | Command::Asking => Reply::Refused(Refusal::Other),
            Command::Prolong { key, ttl } => Reply::Done(self.prolong(key, *ttl, by)),
            Command::Lease { key, token, ttl, seize } => {
                if !seize && self.live(key, by).is_some() {
                    return Reply::Done(false);
                }
                self.put(key, Item::Bytes(token.to_vec()), end(*ttl), by);
                Reply::Done(true)
            }
            Command::Renew { key, token, ttl } => {
                let is_held = self.read(key, by).is_some_and(|it| it == token);
                Reply::Done(is_held && self.expire(key, by.now + *ttl, by))
            }
            Command::Release { key, token } => {
                let is_held = self.read(key, by).is_some_and(|it| it == token);
                Reply::Done(is_held && self.remove(key, by))
            }
            Command::Store { key, lease, token, bytes, ttl } => {
                let is_held = self.read(lease, by).is_some_and(|it| it == token);
                if !is_held && !planted::is(Bug::StoredWithoutLease) {
                    return Reply::Done(false);
                }
                self.put(key, Item::Bytes(bytes.clone()), end(*ttl), by);
                self.happened.push(Happened::Stored(key.clone()));
                if lease != key {
                    self.remove(lease, by);
                }
                if !planted::is(Bug::StoredNotReadBack) {
                    self.track(key, by);
                }
                Reply::Done(true)
            }
            Command::Unlink(keys) => {
                let removed = keys.iter().filter(|key| self.remove(key, by)).count();
                Reply::Done(removed <= keys.len())
            }
            Command::Announce { ledger, recent, epoch, entry } => {
                self.announce(ledger, recent, (epoch, entry), by);
                Reply::Done(true)
            }
            Command::Recent { key, count } => {
                let listed = self.live(key, by).map(|it| it.item.clone());
                self.track(key, by);
                match listed {
                    Some(Item::List(entries)) => {
                        let surplus = entries.len().saturating_sub(*count);
                        Reply::Recent(entries[surplus..].to_vec(), self.run)
                    }
                    Some(Item::Bytes(_)) => Reply::Refused(Refusal::Other),
                    None => Reply::Recent(Vec::new(), self.run),
                }
            }
        }
    }

    fn remaining(&mut self, key: &Key, by: Doer) -> Option<Duration> {
        let left = match self.live(key, by) {
            Some(kept) => kept.expires.map(|it| it.saturating_sub(by.now)),
            None => Some(Duration::ZERO),
        };
        if let Some(left) = left {
            let shortest = self.shortest.entry(key.clone()).or_insert(left);
            *shortest = left.min(*shortest);
        }
        left
    }

    fn prolong(&mut self, key: &Key, ttl: Duration, by: Doer) -> bool {
        let others = |lines: &BTreeSet<Line>| lines.iter().any(|it| Some(*it) != by.line);
        // A version is made to last twice as long as what needs it. Several may find out at once that it
        // doesn't.
        let was_short = self.shortest.get(key).is_some_and(|it| *it < ttl / 2);
        if !was_short && self.readers.get(key).is_some_and(others) {
            self.happened.push(Happened::ToldInVain);
        }
        self.expire(key, by.now + ttl, by)
    }

    fn found(&mut self, key: &Key, created: &BTreeSet<Key>, by: Doer) -> Option<Bytes> {
        let found = if is_unread(key, created) { self.bytes(key, by) } else { self.read(key, by) };
        found.map(|bytes| Bytes { bytes: bytes.into(), run: self.run })
    }

    fn announce(&mut self, ledger: &Key, recent: &Key, what: (&[u8; 16], &Vec<u8>), by: Doer) {
        let (epoch, entry) = what;
        let head = self.read(ledger, by).and_then(|it| String::from_utf8(it).ok());
        let head = head.as_deref().and_then(|it| it.split_once(':'));
        let head = head.and_then(|(epoch, at)| Some((epoch.to_owned(), at.parse::<u64>().ok()?)));
        let begin = || String::from_utf8(wire::beginning(*epoch)).expect("digits");
        let (epoch, position) = head.unwrap_or_else(|| (begin()[..32].to_owned(), 0));
        let position = position + 1;
        if position == 1 {
            self.remove(recent, by);
        }
        let mut entries = match self.live(recent, by).map(|it| it.item.clone()) {
            Some(Item::List(entries)) => entries,
            _ => Vec::new(),
        };
        entries.push([format!("{position}:{epoch}:").as_bytes(), entry].concat());
        let surplus = entries.len().saturating_sub(RECENT);
        entries.drain(..surplus);
        self.put(recent, Item::List(entries), None, by);
        self.put(ledger, Item::Bytes(format!("{epoch}:{position}").into_bytes()), None, by);
    }
}

/// Whether reading a key counts for nothing, as it was made on the same trip.
fn is_unread(key: &Key, created: &BTreeSet<Key>) -> bool {
    planted::is(Bug::CreatedNotRead) && created.contains(key)
}
