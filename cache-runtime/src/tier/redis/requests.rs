//! What is asked for on the tier's own connection. Reads go as one, and so do re-checks of copies, which
//! ask which value is there and read what it depends on.

use super::batch::{Asker, Batch, Part, Term};
use super::server::{Command, Fault, Key, Reply};
use std::mem;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

type Replies = oneshot::Sender<Result<Vec<Reply>, Fault>>;

/// Commands to be sent, and who waits for what they come to.
pub(super) struct Request {
    pub(super) commands: Vec<Command>,
    pub(super) term: Term,
    pub(super) replies: Replies,
}

/// Requests that are sent as one.
pub(super) struct Requests {
    /// What is asked for which value it has.
    checks: Vec<Command>,
    reads: Batch<Key, Waiting>,
}

/// One who waits.
struct Waiting {
    /// Which check is its own.
    check: Option<usize>,
    /// What that came to.
    checked: Option<Reply>,
    replies: Replies,
}

impl Asker for Waiting {
    fn answer(self, outcome: Result<Part<'_>, Fault>) {
        let found = |part: Part<'_>| [Reply::Found(part.collect())];
        let replies = outcome.map(|part| self.checked.into_iter().chain(found(part)).collect());
        // Nobody may wait for it any more.
        let _ = self.replies.send(replies);
    }
}

impl Requests {
    pub(super) fn new() -> Self {
        Self { checks: Vec::new(), reads: Batch::new() }
    }

    /// Takes a request in. Gives it back if it is of another kind, in more of a hurry than others, or
    /// one too many.
    pub(super) fn take(&mut self, request: Request, hurry: Duration) -> Option<Request> {
        let may_join = matches!(
            request.commands[..],
            [Command::Read(_)] | [Command::Identify(_), Command::Read(_)]
        );
        if !may_join || request.term.patience < hurry || self.reads.is_full() {
            return Some(request);
        }
        let Request { mut commands, term, replies } = request;
        let Some(Command::Read(keys)) = commands.pop() else {
            unreachable!("it was just looked at")
        };
        let check = commands.pop().map(|check| {
            self.checks.push(check);
            self.checks.len() - 1
        });
        self.reads.take(keys, term, Waiting { check, checked: None, replies });
        None
    }

    /// The longest term of all.
    pub(super) fn longest(&self) -> Option<Term> {
        self.reads.longest()
    }

    /// When the next of them has waited for as long as it would. Nothing if none is left.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.reads.next_end()
    }

    /// Tells those whose terms have ended by now that no answer came in time, and says how many.
    pub(super) fn give_up(&mut self, now: Instant) -> u64 {
        let ended = self.reads.give_up(now);
        let count = ended.len();
        for it in ended {
            it.answer(Err(Fault::Late));
        }
        count as u64
    }

    /// What is to be sent: the read is the last.
    pub(super) fn commands(&mut self) -> Vec<Command> {
        let mut commands = mem::take(&mut self.checks);
        commands.push(Command::Read(self.reads.names().collect()));
        commands
    }

    /// Hands out what came of it.
    pub(super) fn answer(mut self, outcome: Result<Vec<Reply>, Fault>) {
        let found = outcome.and_then(|mut checked| match checked.pop() {
            Some(Reply::Found(found)) => {
                for waiting in self.reads.askers() {
                    waiting.checked = waiting.check.and_then(|at| checked.get(at).cloned());
                }
                Ok(found)
            }
            _ => Err(Fault::Foreign),
        });
        self.reads.answer(found);
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, Requests};
    use crate::tier::redis::batch::Term;
    use crate::tier::redis::server::{Bytes, Command, Fault, Key, Refusal, Reply};
    use std::time::Duration;
    use tokio::sync::oneshot::{self, Receiver};

    const HURRY: Duration = Duration::from_millis(50);

    type Replies = Receiver<Result<Vec<Reply>, Fault>>;

    fn request(keys: &[&str], patience: Duration) -> (Request, Replies) {
        let (replies, received) = oneshot::channel();
        let term = Term::new(patience);
        (Request { commands: vec![Command::Read(self::keys(keys))], term, replies }, received)
    }

    fn keys(names: &[&str]) -> Vec<Key> {
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    #[test]
    fn copies_are_checked_together_and_with_what_is_read() {
        let mut requests = Requests::new();
        let mut received = Vec::new();
        for (value, keys) in
            [(Some("v:a"), ["a", "t"]), (None, ["b", "t"]), (Some("v:c"), ["c", "t"])]
        {
            let (mut one, replies) = request(&keys, HURRY);
            let check = value.map(|value| Command::Identify(value.as_bytes().to_vec()));
            one.commands.splice(..0, check);
            assert!(requests.take(one, HURRY).is_none());
            received.push(replies);
        }
        let [one, other] = ["v:a", "v:c"].map(|it| Command::Identify(it.as_bytes().to_vec()));
        assert_eq!(requests.commands(), [one, other, Command::Read(keys(&["a", "t", "b", "c"]))]);
        let values =
            [b'1', b'2', b'3', b'4'].map(|it| Some(Bytes { bytes: [it][..].into(), run: [0; 16] }));
        let read = Reply::Found(values.to_vec());
        let identities = [None, Some(b"one")].map(|it| {
            let bytes = it.map(|it| Bytes { bytes: it[..].into(), run: [0; 16] });
            Reply::Found(vec![bytes])
        });
        requests.answer(Ok(identities.iter().cloned().chain([read]).collect()));
        let mut received = received.iter_mut().map(|it| it.try_recv().unwrap().unwrap());
        let own = |at: [usize; 2]| Reply::Found(at.map(|at| values[at].clone()).to_vec());
        assert_eq!(received.next().unwrap(), [identities[0].clone(), own([0, 1])]);
        assert_eq!(received.next().unwrap(), [own([2, 1])]);
        assert_eq!(received.next().unwrap(), [identities[1].clone(), own([3, 1])]);
    }

    #[test]
    fn what_is_in_a_hurry_or_no_read_goes_alone() {
        let mut requests = Requests::new();
        assert!(requests.take(request(&["a"], HURRY / 2).0, HURRY).is_some());
        let (mut unlink, _replies) = request(&[], HURRY);
        unlink.commands = vec![Command::Unlink(vec![b"a".to_vec()])];
        assert!(requests.take(unlink, HURRY).is_some());
        assert_eq!(requests.longest(), None);
    }

    #[test]
    fn what_is_refused_is_nobodys() {
        let mut requests = Requests::new();
        let (one, mut received) = request(&["a"], HURRY);
        assert!(requests.take(one, HURRY).is_none());
        requests.answer(Ok(vec![Reply::Refused(Refusal::Forbidden)]));
        assert_eq!(received.try_recv().unwrap(), Err(Fault::Foreign));
    }
}
