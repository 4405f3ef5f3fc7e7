//! Reads of several calls, sent as one: most of them ask for the same versions.

use super::server::{Bytes, Fault};
use crate::hash::Seed;
use indexmap::IndexSet;
use smallvec::SmallVec;
use std::hash::Hash;
use std::slice;
use std::time::Duration;
use tokio::time::Instant;

/// More keys than these are sent in several reads.
pub(super) const MOST: usize = 512;

/// How long an answer is of use to who asked: also the time before the question is sent counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) until: Instant,
    pub(super) patience: Duration,
}

impl Term {
    pub(super) fn new(patience: Duration) -> Self {
        let now = Instant::now();
        // What is longer than a clock can count has no end that anyone sees.
        let until = now.checked_add(patience).unwrap_or(now + Duration::from_secs(1 << 30));
        Self { until, patience }
    }

    /// Whether so much of it is left that who does not answer in it is to blame.
    pub(super) fn is_fair(&self) -> bool {
        self.until.saturating_duration_since(Instant::now()) >= self.patience / 2
    }
}

/// Reads that are sent as one, by whatever names what is read. Each has a term of its own.
pub(super) struct Batch<N, A> {
    names: IndexSet<N, Seed>,
    /// How many members ask for each.
    askers: Vec<usize>,
    members: Vec<Member<A>>,
}

/// One who waits for a part of what is read.
struct Member<A> {
    /// Where each of what it asks for is among that of all.
    places: SmallVec<[usize; 8]>,
    term: Term,
    asker: A,
}

/// Where an outcome is sent.
pub(super) trait Asker {
    /// Hands over what was found for each of the names, or why nothing was.
    fn answer(self, outcome: Result<Part<'_>, Fault>);
}

/// What one of them asked for, in its order.
pub(super) struct Part<'a> {
    places: slice::Iter<'a, usize>,
    found: &'a mut [Option<Bytes>],
    askers: &'a mut [usize],
}

impl Iterator for Part<'_> {
    type Item = Option<Bytes>;

    /// What a key has: itself to the last who asks, and a copy to all others.
    fn next(&mut self) -> Option<Option<Bytes>> {
        let place = *self.places.next()?;
        let (Some(own), Some(askers)) = (self.found.get_mut(place), self.askers.get_mut(place))
        else {
            return Some(None);
        };
        *askers = askers.saturating_sub(1);
        Some(if *askers == 0 { own.take() } else { own.clone() })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<N: Hash + Eq, A: Asker> Batch<N, A> {
    pub(super) fn new() -> Self {
        Self { names: IndexSet::default(), askers: Vec::new(), members: Vec::new() }
    }

    /// Whether others are to go with the next.
    pub(super) fn is_full(&self) -> bool {
        self.names.len() > MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn askers(&mut self) -> impl Iterator<Item = &mut A> {
        self.members.iter_mut().map(|it| &mut it.asker)
    }

    pub(super) fn take(&mut self, names: impl IntoIterator<Item = N>, term: Term, asker: A) {
        let place = |name| {
            let (place, _) = self.names.insert_full(name);
            self.askers.resize(self.names.len(), 0);
            self.askers[place] += 1;
            place
        };
        let places = names.into_iter().map(place).collect();
        self.members.push(Member { places, term, asker });
    }

    /// The longest term of all.
    pub(super) fn longest(&self) -> Option<Term> {
        self.members.iter().map(|it| it.term).max()
    }

    /// When the next of them has waited for as long as it would. Nothing if none is left.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.members.iter().map(|it| it.term.until).min()
    }

    /// Takes those out whose terms have ended by now.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<A> {
        let ended = self.members.extract_if(.., |it| it.term.until <= now);
        ended.map(|it| it.asker).collect()
    }

    /// Takes out what is to be read.
    pub(super) fn names(&mut self) -> impl ExactSizeIterator<Item = N> {
        self.names.drain(..)
    }

    /// Hands out what came of it. Nobody is left then.
    pub(super) fn answer(&mut self, mut outcome: Result<Vec<Option<Bytes>>, Fault>) {
        for Member { places, asker, .. } in self.members.drain(..) {
            let (places, askers) = (places.iter(), &mut self.askers[..]);
            asker.answer(match &mut outcome {
                Ok(found) => Ok(Part { places, found, askers }),
                Err(fault) => Err(*fault),
            });
        }
        self.names.clear();
        self.askers.clear();
        // However many came at once, the next are not kept more room for than is usual.
        self.members.shrink_to(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::{Asker, Batch, Part, Term};
    use crate::tier::redis::server::{Bytes, Fault};
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    const HURRY: Duration = Duration::from_millis(50);

    type Outcome = Result<Vec<Option<Bytes>>, Fault>;

    /// What was answered.
    #[derive(Clone, Default)]
    struct Heard(Rc<RefCell<Option<Outcome>>>);

    impl Asker for Heard {
        fn answer(self, outcome: Result<Part<'_>, Fault>) {
            let outcome = outcome.map(Iterator::collect);
            assert!(self.0.replace(Some(outcome)).is_none(), "it is answered once");
        }
    }

    impl Heard {
        fn take(&self) -> Option<Outcome> {
            self.0.take()
        }
    }

    fn found(bytes: &[u8]) -> Bytes {
        Bytes { bytes: bytes.into(), run: [0; 16] }
    }

    #[test]
    fn what_several_ask_for_is_read_once_and_each_gets_its_own() {
        let mut batch = Batch::new();
        let [one, other] = [Heard::default(), Heard::default()];
        batch.take(["a", "t"], Term::new(HURRY), one.clone());
        batch.take(["t", "b"], Term::new(HURRY * 2), other.clone());
        assert_eq!(batch.names().collect::<Vec<_>>(), ["a", "t", "b"]);
        batch.answer(Ok(vec![Some(found(b"1")), None, Some(found(b"3"))]));
        assert_eq!(one.take(), Some(Ok(vec![Some(found(b"1")), None])));
        assert_eq!(other.take(), Some(Ok(vec![None, Some(found(b"3"))])));
    }

    #[test]
    fn c7_each_waits_for_as_long_as_it_would_and_no_longer() {
        let mut batch = Batch::new();
        let [one, other] = [Heard::default(), Heard::default()];
        let [short, long] = [Term::new(HURRY), Term::new(HURRY * 1_000)];
        batch.take(["b"], long, other.clone());
        batch.take(["a"], short, one.clone());
        assert_eq!((batch.longest(), batch.next_end()), (Some(long), Some(short.until)));
        let ended = batch.give_up(short.until);
        assert!(ended.len() == 1 && Rc::ptr_eq(&ended[0].0, &one.0));
        assert_eq!(other.take(), None, "it has not waited for so long");
        assert_eq!(batch.next_end(), Some(long.until));
        assert_eq!(batch.names().len(), 2);
        batch.answer(Ok(vec![Some(found(b"1")), None]));
        assert_eq!(other.take(), Some(Ok(vec![Some(found(b"1"))])));
    }

    #[test]
    fn who_gets_a_question_late_is_not_to_blame_for_that() {
        assert!(Term::new(HURRY * 1_000).is_fair());
        let overdue = Term { until: Term::new(HURRY).until, patience: HURRY * 1_000 };
        assert!(!overdue.is_fair());
    }

    #[test]
    fn a_failure_is_everyones() {
        let mut batch = Batch::new();
        let heard = Heard::default();
        batch.take(["a"], Term::new(HURRY), heard.clone());
        batch.answer(Err(Fault::Late));
        assert_eq!(heard.take(), Some(Err(Fault::Late)));
    }
}
