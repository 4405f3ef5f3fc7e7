//! Who waits for a connection of an executor, while there is enough on its way.
//!
//! 1. Some trips are under way at once at the most. What is asked for meanwhile goes together, as one.
//! 2. Who goes at once makes the trip, and may be left alone by whoever called; the others do not wait
//!    for that for long.
//! 3. Who waits is known here until there is an answer, so that whoever looks at the time can tell them
//!    that they have waited for too long, whatever becomes of the trip.

use super::batch::{Asker, Batch, Part, Term};
use super::names::Named;
use super::server::{Bytes, Fault, Found};
use crate::sync::Mutex;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// So many trips are under way at once, but for those that take longer than this.
const TRIPS: usize = 2;
const USUAL: Duration = Duration::from_millis(20);

/// What one call asks for.
pub(super) type Asked = Vec<Named>;

/// What it has, or why that is not known.
pub(super) type Outcome = Result<Found, Fault>;

/// What goes with one trip.
pub(super) type Reads = Arc<Mutex<Batch<Named, oneshot::Sender<Outcome>>>>;

/// The right to a trip of one's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// What has become of those who wait.
#[derive(Default)]
pub(super) struct Swept {
    /// How many have waited for too long.
    pub(super) late: u64,
    pub(super) is_anyone: bool,
    /// What goes next, instead of those who did not come back yet.
    pub(super) next: Vec<Reads>,
}

/// The places of those who wait.
pub(super) struct Queue {
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Nobody will make another trip.
    is_closed: bool,
    trips: usize,
    /// Those of them that were begun at once, and when.
    tickets: Vec<(Ticket, Instant)>,
    issued: u64,
    waiting: VecDeque<Reads>,
    /// Those that were given to a trip, until that ends.
    under_way: Vec<Reads>,
    /// Those that nobody is in any more, for who comes next.
    spare: Vec<Reads>,
}

impl Asker for oneshot::Sender<Outcome> {
    fn answer(self, outcome: Result<Part<'_>, Fault>) {
        // Nobody may wait for it any more.
        let _ = self.send(outcome.map(Iterator::collect));
    }
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { line: Mutex::new(Line::default()) }
    }

    /// Gives back what may go at once. Who does not hear anything asks elsewhere.
    pub(super) fn wait(
        &self,
        asked: Asked,
        term: Term,
    ) -> Result<oneshot::Receiver<Outcome>, (Asked, Ticket)> {
        let mut line = self.line.lock();
        if line.trips < TRIPS && !line.is_closed {
            line.trips += 1;
            let ticket = line.issued;
            line.issued += 1;
            line.tickets.push((Ticket(ticket), Instant::now()));
            return Err((asked, Ticket(ticket)));
        }
        let (answer, received) = oneshot::channel();
        if !line.is_closed {
            line.last().lock().take(asked, term, answer);
        }
        Ok(received)
    }

    /// Takes a ticket back when its trip has ended, and says what goes next.
    pub(super) fn come_back(&self, ticket: &Ticket) -> Option<Reads> {
        let mut line = self.line.lock();
        let at = line.tickets.iter().position(|(it, _)| it == ticket)?;
        line.tickets.swap_remove(at);
        line.next()
    }

    /// Hands out what a trip came to, and says what goes next.
    pub(super) fn end(
        &self,
        reads: &Reads,
        outcome: Result<Vec<Option<Bytes>>, Fault>,
    ) -> Option<Reads> {
        // Who is woken may come back here.
        let mut ended = mem::replace(&mut *reads.lock(), Batch::new());
        ended.answer(outcome);
        *reads.lock() = ended;
        let mut line = self.line.lock();
        line.under_way.retain(|it| !Arc::ptr_eq(it, reads));
        if line.spare.len() < TRIPS {
            line.spare.push(Arc::clone(reads));
        }
        line.next()
    }

    /// Gives up for those who have waited for too long, and waits no longer for those who are gone for
    /// longer than usual.
    pub(super) fn sweep(&self, now: Instant) -> Swept {
        let mut line = self.line.lock();
        let (mut swept, mut ended) = (Swept::default(), Vec::new());
        let mut give_up = |reads: &Reads| {
            let mut reads = reads.lock();
            ended.append(&mut reads.give_up(now));
            swept.is_anyone |= !reads.is_empty();
        };
        line.under_way.iter().for_each(&mut give_up);
        line.waiting.iter().for_each(give_up);
        let is_overdue = |begun: Instant| now.saturating_duration_since(begun) >= USUAL;
        let overdue = line.tickets.extract_if(.., |(_, begun)| is_overdue(*begun)).count();
        swept.next = (0..overdue).filter_map(|_| line.next()).collect();
        drop(line);
        swept.late = ended.len() as u64;
        // Who is woken may come back here.
        for it in ended {
            it.answer(Err(Fault::Late));
        }
        swept
    }

    /// Sends everyone away.
    pub(super) fn close(&self) {
        let mut line = self.line.lock();
        line.is_closed = true;
        let waiting = mem::take(&mut line.waiting);
        let under_way = mem::take(&mut line.under_way);
        drop(line);
        for reads in waiting.into_iter().chain(under_way) {
            let sent_away = mem::replace(&mut *reads.lock(), Batch::new());
            drop(sent_away);
        }
    }
}

impl Line {
    /// Those who go last, among whom there is room for another.
    fn last(&mut self) -> &Reads {
        if self.waiting.back().is_none_or(|it| it.lock().is_full()) {
            let spare = self.spare.pop();
            self.waiting.push_back(spare.unwrap_or_else(|| Arc::new(Mutex::new(Batch::new()))));
        }
        self.waiting.back().expect("it was just looked at")
    }

    /// What goes with the next trip. If nothing does, a trip has ended.
    fn next(&mut self) -> Option<Reads> {
        while self.waiting.front().is_some_and(|it| it.lock().is_empty()) {
            self.waiting.pop_front();
        }
        let Some(reads) = self.waiting.pop_front() else {
            self.trips -= 1;
            return None;
        };
        self.under_way.push(Arc::clone(&reads));
        Some(reads)
    }
}

#[cfg(test)]
mod tests {
    use super::{Queue, Ticket, USUAL};
    use crate::mark::Mark;
    use crate::tier::redis::batch::Term;
    use crate::tier::redis::names::Named;
    use crate::tier::redis::server::{Bytes, Fault};
    use std::time::Duration;
    use tokio::sync::oneshot::error::TryRecvError;
    use tokio::time::Instant;

    const TERM: Duration = Duration::from_secs(1);

    fn names(tag: &str) -> Vec<Named> {
        vec![Named::Ledger, Named::Version(Mark::tag(tag))]
    }

    /// One with all its trips under way.
    fn busy() -> (Queue, [Ticket; 2], Term) {
        let (queue, term) = (Queue::new(), Term::new(TERM));
        let tickets = ["a", "b"].map(|tag| {
            let (asked, ticket) = queue.wait(names(tag), term).unwrap_err();
            assert_eq!(asked, names(tag), "it goes at once");
            ticket
        });
        (queue, tickets, term)
    }

    #[test]
    fn what_is_asked_for_meanwhile_goes_together() {
        let (queue, [first, _], term) = busy();
        let mut received = ["c", "d"].map(|tag| queue.wait(names(tag), term).unwrap());
        let reads = queue.come_back(&first).expect("two wait");
        assert_eq!(reads.lock().names().len(), 3, "the ledger is read once");
        let found = |byte| Some(Bytes { bytes: [byte][..].into(), run: [0; 16] });
        assert!(queue.end(&reads, Ok(vec![found(0), found(1), None])).is_none());
        let received = received.each_mut().map(|it| it.try_recv().unwrap().unwrap().into_vec());
        assert_eq!(received, [vec![found(0), found(1)], vec![found(0), None]]);
        // One of two trips has ended. What it was made with is used again, and nobody is in it.
        assert!(reads.lock().is_empty() && reads.lock().names().len() == 0);
        assert!(queue.wait(names("e"), term).is_err() && queue.wait(names("f"), term).is_ok());
    }

    #[test]
    fn c7_who_has_waited_for_too_long_is_told_wherever_that_was() {
        let (queue, [first, second], term) = busy();
        let mut under_way = queue.wait(names("c"), term).unwrap();
        let reads = queue.come_back(&first).expect("one waits");
        let mut waiting = queue.wait(names("d"), term).unwrap();
        let swept = queue.sweep(term.until - TERM);
        assert_eq!((swept.late, swept.is_anyone), (0, true));
        let swept = queue.sweep(term.until);
        assert_eq!((swept.late, swept.is_anyone), (2, false));
        for received in [&mut under_way, &mut waiting] {
            assert_eq!(received.try_recv().unwrap(), Err(Fault::Late));
        }
        assert!(queue.end(&reads, Err(Fault::Late)).is_none(), "nobody waits any more");
        assert!(queue.come_back(&second).is_none(), "it was given up");
    }

    #[test]
    fn who_does_not_come_back_is_not_waited_for_for_long() {
        let (queue, [first, second], term) = busy();
        let mut received = queue.wait(names("c"), term).unwrap();
        assert!(queue.sweep(Instant::now()).next.is_empty());
        let swept = queue.sweep(Instant::now() + USUAL);
        let [reads] = &swept.next[..] else { panic!("one trip") };
        assert!(queue.come_back(&first).is_none() && queue.come_back(&second).is_none());
        // Only that one is under way.
        let (_, third) = queue.wait(names("d"), term).unwrap_err();
        assert!(queue.wait(names("e"), term).is_ok());
        assert!(queue.end(reads, Err(Fault::Down)).is_some(), "it goes next");
        assert_eq!(received.try_recv().unwrap(), Err(Fault::Down));
        assert!(queue.come_back(&third).is_none());
    }

    #[test]
    fn who_waits_for_an_executor_that_has_ended_hears_of_it() {
        let (queue, [first, _], term) = busy();
        let mut under_way = queue.wait(names("c"), term).unwrap();
        let _reads = queue.come_back(&first).expect("one waits");
        let mut waiting = queue.wait(names("d"), term).unwrap();
        queue.close();
        let mut late = queue.wait(names("e"), term).unwrap();
        for received in [&mut under_way, &mut waiting, &mut late] {
            assert_eq!(received.try_recv(), Err(TryRecvError::Closed));
        }
    }
}
