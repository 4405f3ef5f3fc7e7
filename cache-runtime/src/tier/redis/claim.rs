//! Asks for the right to compute, and captures what the value will be valid under.

use super::held::{self, Lease};
use super::judge::Wanted;
use super::planted::{self, Bug};
use super::server::{Command, Fault, Key, Patience, Reply};
use super::{LEASE, Redis, Shared, random, reading, wire};
use crate::captured::Captured;
use crate::entry::Stamp;
use crate::mark::Mark;
use crate::target::Target;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// How long a version lasts, if no value needs it for longer.
pub(super) const VERSION: Duration = Duration::from_secs(7 * 24 * 3_600);

/// What asking for the right to compute came to.
pub(crate) enum Claimed {
    /// The right, and the versions that what is computed is valid under.
    Granted(Lease, Captured),
    /// Another process computes the same.
    Held,
    /// What is computed can't be stored.
    Unfit,
}

impl Redis {
    /// Asks for the right to compute, and for versions where there are none. `seize` takes it from
    /// whoever has it.
    pub(crate) async fn claim(
        &self,
        wanted: &Wanted<'_>,
        since: Stamp,
        (ttl, seize): (Duration, bool),
        patience: &mut Patience,
    ) -> Result<Claimed, Fault> {
        let shared = &self.shared;
        let place = wanted.place;
        let token = random();
        let lease = || shared.names.lease(place);
        let lasting = VERSION.max(ttl.saturating_mul(2));
        let mut commands = self.created(wanted.marks, lasting);
        let asked = commands.len();
        commands.push(Command::Lease { key: lease(), token, ttl: LEASE, seize });
        commands.push(Command::Remaining(lease()));
        for mark in wanted.marks {
            commands.push(Command::Remaining(shared.names.version(*mark)));
        }
        commands.push(Command::Read(self.versioned(wanted.marks)));
        let mut guard = held::Asked::new(shared, place, token);
        let (replies, generation) = shared.ask_in_generation(commands, true, patience).await?;
        self.count_made(&replies, wanted.marks);
        let is_granted = match replies.get(asked) {
            Some(Reply::Done(is_granted)) => *is_granted,
            _ => return Ok(Claimed::Unfit),
        };
        if !is_granted {
            guard.spare();
            // Who computes gives it an end, again and again. What has none is nobody's.
            let is_held = match replies.get(asked + 1) {
                Some(Reply::Remaining(left)) => left.is_some_and(|left| left <= 2 * LEASE),
                _ => true,
            };
            return if is_held {
                Ok(Claimed::Held)
            } else {
                Box::pin(self.claim(wanted, since, (ttl, true), patience)).await
            };
        }
        let mut versions = self.captured(wanted.marks, replies.last());
        let is_early = |left: Duration| left < ttl || planted::is(Bug::ProlongedEachTime);
        let ends_early =
            |reply: &Reply| matches!(reply, Reply::Remaining(Some(left)) if is_early(*left));
        let remaining = &replies[asked + 2..replies.len() - 1];
        if remaining.iter().any(ends_early) {
            let short = wanted.marks.iter().zip(remaining).filter(|(_, left)| ends_early(left));
            let short: Vec<_> = short.map(|(mark, _)| *mark).collect();
            let again = self.prolong(wanted.marks, &short, lasting, patience).await?;
            if again != versions {
                // Nobody was told while they were made to last longer.
                shared.listener.hear(&Target::Any(short));
                versions = None;
            }
        }
        Ok(match versions {
            Some(versions) => {
                let lease = guard.hold(wanted.marks, since);
                Claimed::Granted(lease, shared.ledger.beginning(versions.taken_now(generation)))
            }
            None => Claimed::Unfit,
        })
    }

    /// Makes versions last longer. Everyone is told of that, but for this process, which is told of
    /// nothing any more until it reads them again.
    async fn prolong(
        &self,
        marks: &[Mark],
        short: &[Mark],
        ttl: Duration,
        patience: &mut Patience,
    ) -> Result<Option<Captured>, Fault> {
        let names = &self.shared.names;
        let prolong = |mark: &Mark| Command::Prolong { key: names.version(*mark), ttl };
        let read = Command::Read(self.versioned(marks));
        let commands = short.iter().map(prolong).chain([read]).collect();
        let unheard = Unheard { shared: &self.shared, marks: short };
        let replies = patience.ask(&*self.shared.link, commands).await?;
        std::mem::forget(unheard);
        Ok(self.captured(marks, replies.last()))
    }

    /// Captures the versions of what something is going to depend on that is stored as a part of
    /// something else.
    pub(crate) async fn witness(
        &self,
        marks: &[Mark],
        patience: &mut Patience,
    ) -> Result<Option<Captured>, Fault> {
        let mut commands = self.created(marks, VERSION);
        commands.push(Command::Read(self.versioned(marks)));
        let (replies, generation) = self.shared.ask_in_generation(commands, true, patience).await?;
        self.count_made(&replies, marks);
        let captured = self.captured(marks, replies.last()).map(|it| it.taken_now(generation));
        Ok(captured.map(|it| self.shared.ledger.beginning(it).of_witness()))
    }

    /// Counts the versions that there were none of.
    fn count_made(&self, replies: &[Reply], marks: &[Mark]) {
        let made = replies.iter().take(marks.len()).filter(|it| **it == Reply::Done(true));
        self.shared.versions_made.fetch_add(made.count() as u64, Relaxed);
    }

    /// Makes versions and ledger where there are none.
    fn created(&self, marks: &[Mark], ttl: Duration) -> Vec<Command> {
        let names = &self.shared.names;
        let create = |mark: &Mark| {
            let bytes = random().to_vec();
            Command::Create { key: names.version(*mark), bytes, ttl: Some(ttl) }
        };
        let bytes = wire::beginning(random());
        let ledger = Command::Create { key: names.ledger(), bytes, ttl: None };
        marks.iter().map(create).chain([ledger]).collect()
    }

    /// What was read of the versions and the ledger, if all of it is there.
    fn captured(&self, marks: &[Mark], reply: Option<&Reply>) -> Option<Captured> {
        let Some(Reply::Found(found)) = reply else { return None };
        let (ledger, versions) = found.split_last()?;
        let ledger = reading::stands(&self.shared, ledger.as_ref(), true)?;
        let versions: Option<Vec<_>> =
            versions.iter().map(|found| found.as_ref().and_then(reading::version)).collect();
        Some(Captured::new(ledger, marks.iter().copied().zip(versions?)))
    }

    pub(super) fn versioned(&self, marks: &[Mark]) -> Vec<Key> {
        let names = &self.shared.names;
        let versions = marks.iter().map(|mark| names.version(*mark));
        versions.chain([names.ledger()]).collect()
    }
}

/// Versions that are made to last longer: until they have been read again, nobody tells of their end.
struct Unheard<'a> {
    shared: &'a Shared,
    marks: &'a [Mark],
}

impl Drop for Unheard<'_> {
    fn drop(&mut self) {
        self.shared.listener.hear(&Target::Any(self.marks.to_vec()));
    }
}
