//! How what is missing of a batch comes to be there: in rounds, of which each computes what nobody else
//! does, and else waits for one of the others.

use super::join::{self, One};
use super::sorted::{Due, Open, Sorted, Twice, sort};
use super::{Answer, Batch, Ids, Missed, Values};
use crate::ask::Wish;
use crate::call::Found;
use crate::calling;
use crate::context;
use crate::desk::{self, Sitting};
use crate::errand::Again;
use crate::flight::FlightId;
#[cfg(feature = "redis")]
use crate::glance::glance_all;
use crate::key::OwnedKey;
use crate::miss::{Bypassed, Miss, Part, settle_async};
use crate::outcome::Kind;
use crate::planted::{self, Bug};
use crate::quest::{Leaving, Quest, Step};
#[cfg(feature = "redis")]
use crate::stored;
use crate::verdict::Verdict;
use crate::work::{self, Before, Consulted, Placed, Room, Together, Work};
use std::borrow::Borrow;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::resume_unwind;
use std::task::Poll;

/// An element whose computation is this call's.
type Leading<K, Kd> = (usize, Box<Work<K, Kd>>);

/// What the next step of each came to.
pub(super) type Stepped<K, Kd> = (Vec<Leading<K, Kd>>, Vec<Waiting<K, Kd>>);

/// Why there are not all values.
pub(super) enum Lack<A> {
    /// A body failed.
    Failure(A),
    /// There is no more time.
    Time,
}

/// An element that another call of this process computes, and the place among those who wait for it.
pub(super) type Waiting<K, Kd> = (usize, Box<Quest<K, Kd>>, Leaving<K, Kd>);

impl<'a, C, Id, K, Kd, L, G> Batch<'a, C, Id, K, Kd, L, G>
where
    C: Ids + ?Sized,
    Id: ?Sized,
    K: OwnedKey,
    Kd: Kind,
    L: Fn(&Id, &mut Sitting<'_>) -> Found<Kd::Out, Miss<K, Kd>>,
    G: Fn() -> Again<C::Id>,
{
    /// Finds or computes what is missing, or returns the failure of a body.
    pub(super) async fn fill<A, Fut>(
        &mut self,
        mut body: impl FnMut(Vec<C::Id>) -> Fut,
        judge: impl Fn(&A::Value) -> Verdict,
    ) -> Result<(), Lack<A>>
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        let judge = |out: &Kd::Out| out.as_ref().map_or_else(Verdict::new, &judge);
        let missed = mem::take(&mut self.missed);
        let mut given: Vec<Option<&'a C::Id>> = self.ids.iter().map(|_| None).collect();
        for Missed { at, given: one, .. } in &missed {
            given[*at] = Some(*one);
        }
        let given = |at: usize| given[at].cloned().expect("it was missed");
        let Sorted { mut open, past, puts, twice, due } = sort(missed).await;
        if self.again.is_some() {
            for (_, quest) in &mut open {
                quest.gather();
            }
        }
        self.make_spare(&open);
        open.extend(self.renew(due, &given));
        if !past.is_empty() {
            self.pass(past, &given, &mut body, &judge).await.map_err(Lack::Failure)?;
        }
        self.put(puts, &judge).await;
        let (mut due, mut held, mut flights) = (Vec::new(), Vec::new(), Vec::new());
        let mut waiting = Vec::new();
        loop {
            self.glance(&mut open, &given).await;
            let stepped = self.step(mem::take(&mut open), &given);
            let (leading, others) = stepped.ok_or(Lack::Time)?;
            waiting.extend(others);
            let (own, others) = self.consult(leading).await;
            due.extend(own);
            flights.extend(others.iter().filter_map(|(_, work)| work.flight()));
            held.extend(others.into_iter().map(|(at, mut work)| {
                One::new(async move {
                    let found = work.consult().await;
                    (at, work, found)
                })
            }));
            let is_planted = planted::is(Bug::WaitsBeforeLanding) && !waiting.is_empty();
            if !due.is_empty() && !is_planted {
                open = leave(mem::take(&mut waiting));
                let due = (mem::take(&mut due), &flights[..]);
                self.compute_some(due, &given, &mut body, &judge).await.map_err(Lack::Failure)?;
            } else if !waiting.is_empty() || !held.is_empty() {
                let ended;
                (ended, open) = wait_for_one(&mut held, &mut waiting).await;
                for (at, work, found) in ended {
                    match found {
                        Some(out) => self.values[at] = Some(out),
                        None => due.push((at, work)),
                    }
                }
            } else {
                break;
            }
        }
        self.repeat(twice, &given, &mut body, &judge).await
    }

    /// Gives ids that were asked for twice what was found for them, or has those of which no copy can be
    /// made computed once more.
    async fn repeat<A, Fut>(
        &mut self,
        twice: Vec<Twice<K, Kd>>,
        given: &impl Fn(usize) -> C::Id,
        body: &mut impl FnMut(Vec<C::Id>) -> Fut,
        judge: &impl Fn(&Kd::Out) -> Verdict,
    ) -> Result<(), Lack<A>>
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        for (at, first, mut quest) in twice {
            let kind = quest.kind;
            let copy = self.values[first].as_ref().and_then(|out| kind.share(out));
            if let Some(copy) = copy {
                self.values[at] = Some(kind.open(&copy));
                continue;
            }
            let work = loop {
                match quest.step() {
                    Step::Serve(out) => {
                        self.values[at] = Some(out);
                        break None;
                    }
                    Step::Work(work) => break Some(work),
                    // It is the next step.
                    Step::Gather => {}
                    Step::Wait(waiter) => quest.wait(waiter).await,
                    Step::GiveUp => return Err(Lack::Time),
                }
            };
            let Some(mut work) = work else { continue };
            if work.is_shared()
                && let Some(out) = work.consult().await
            {
                self.values[at] = Some(out);
                continue;
            }
            let due = (vec![(at, work)], &[][..]);
            self.compute_some(due, given, body, judge).await.map_err(Lack::Failure)?;
        }
        Ok(())
    }

    /// Stores values that no body computes.
    async fn put(&mut self, puts: Vec<Due<K, Kd>>, judge: &impl Fn(&Kd::Out) -> Verdict) {
        for (at, quest, out) in puts {
            let mut work = quest.put().await;
            if work.is_shared() {
                work.consult().await;
            }
            let verdict = judge(&out);
            self.values[at] = Some(settle_async(work.place(out, &verdict)).await);
        }
    }

    /// Looks at the tier that machines share, for what is kept nowhere nearer.
    #[cfg_attr(
        not(feature = "redis"),
        expect(clippy::unused_async, reason = "there is no such tier")
    )]
    async fn glance(&mut self, open: &mut Vec<Open<K, Kd>>, given: &impl Fn(usize) -> C::Id) {
        #[cfg(feature = "redis")]
        {
            for (at, found) in glance_all(open).await {
                self.values[at] = Some(found);
            }
            let mut due = Vec::new();
            for (at, quest) in mem::take(open) {
                match self.values[at].take() {
                    Some(out) if quest.is_due => due.push((at, quest, out)),
                    Some(out) => self.values[at] = Some(out),
                    None => open.push((at, quest)),
                }
            }
            open.extend(self.renew(due, given));
        }
        #[cfg(not(feature = "redis"))]
        let _ = (open, given);
    }

    /// Takes the next step of each: begins what nobody computes yet. Nothing if there is no more time.
    fn step(
        &mut self,
        open: Vec<Open<K, Kd>>,
        given: &impl Fn(usize) -> C::Id,
    ) -> Option<Stepped<K, Kd>> {
        self.make_spare(&open);
        let mut leading = Vec::with_capacity(open.len());
        let (mut waiting, mut gathered) = (Vec::new(), Vec::new());
        let mut is_late = false;
        let room = open.first().map(|(_, quest)| Room::of_many::<K, Kd>(&quest.function));
        for (at, mut quest) in open {
            match quest.step_in(room.as_ref()) {
                Step::Serve(out) => self.values[at] = Some(out),
                Step::Work(work) => leading.push((at, work)),
                Step::Wait(waiter) => {
                    let place = quest.place(waiter);
                    waiting.push((at, quest, place));
                }
                Step::Gather => gathered.push((at, quest)),
                Step::GiveUp => is_late = true,
            }
        }
        let (left, handed_over) = self.hand_over(gathered, given);
        waiting.extend(handed_over);
        for (at, mut quest) in left {
            if let Step::Work(work) = quest.step_in(room.as_ref()) {
                leading.push((at, work));
            }
        }
        (!is_late).then_some((leading, waiting))
    }

    /// Asks other tiers, all at once: what is left is to be computed here, or is in another process.
    async fn consult(
        &mut self,
        leading: Vec<Leading<K, Kd>>,
    ) -> (Vec<Leading<K, Kd>>, Vec<Leading<K, Kd>>) {
        if !leading.iter().any(|(_, work)| work.is_shared()) {
            return (leading, Vec::new());
        }
        let (shared, mut due): (Vec<_>, Vec<_>) =
            leading.into_iter().partition(|(_, work)| work.is_shared());
        let mut held = Vec::new();
        let consulted = join::all(shared.into_iter().map(async |(at, mut work)| {
            let found = work.consult_at_once().await;
            (at, work, found)
        }));
        #[cfg(feature = "redis")]
        let consulted = stored::at_once(consulted);
        for (at, work, found) in consulted.await {
            match found {
                Consulted::Found(out) => self.values[at] = Some(out),
                Consulted::Nothing => due.push((at, work)),
                Consulted::Held => held.push((at, work)),
            }
        }
        (due, held)
    }

    /// Runs the body for elements past the cache.
    async fn pass<A, Fut>(
        &mut self,
        past: Vec<(usize, Box<Bypassed<Kd>>)>,
        given: &impl Fn(usize) -> C::Id,
        body: &mut impl FnMut(Vec<C::Id>) -> Fut,
        judge: &impl Fn(&Kd::Out) -> Verdict,
    ) -> Result<(), A>
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        let mut left = Vec::with_capacity(past.len());
        for (at, mut bypassed) in past {
            match bypassed.take_put() {
                Some(out) => {
                    bypassed.end(&out, judge);
                    self.values[at] = Some(out);
                }
                None => left.push((at, bypassed)),
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        let missing = left.iter().map(|(at, _)| given(*at)).collect();
        let made = context::optionless(|| body(missing));
        let values = context::optionless_async(made).await.open()?;
        let ids: Vec<&Id> = left.iter().map(|(at, _)| self.ids[*at]).collect();
        for ((at, bypassed), out) in left.into_iter().zip(values.part(&ids).0) {
            bypassed.end(&out, judge);
            self.values[at] = Some(out);
        }
        Ok(())
    }

    /// Runs the body for elements that are this call's to compute.
    async fn compute_some<A, Fut>(
        &mut self,
        (mut due, held): (Vec<Leading<K, Kd>>, &[FlightId]),
        given: &impl Fn(usize) -> C::Id,
        body: &mut impl FnMut(Vec<C::Id>) -> Fut,
        judge: &impl Fn(&Kd::Out) -> Verdict,
    ) -> Result<(), A>
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        // They came to be due one after the other, and what the body returns may go by their order.
        due.sort_unstable_by_key(|(at, _)| *at);
        let (places, mut works): (Vec<usize>, Vec<_>) = due.into_iter().unzip();
        let missing = places.iter().map(|at| given(*at)).collect();
        let together = Together::of(&mut works, held);
        let before = Before::of(&works);
        let answer = match together.run(|| body(missing)) {
            Ok(body) => match work::in_time(together.drive(body), &works).await {
                Ok(answer) => answer,
                Err(formers) => {
                    for ((at, mut work), former) in places.into_iter().zip(works).zip(formers) {
                        self.values[at] = Some(work.drop_body(former));
                    }
                    return Ok(());
                }
            },
            Err(panic) => Err(panic),
        };
        let values = match answer.map(Answer::open) {
            Ok(Ok(values)) => values,
            Ok(Err(failure)) => {
                let left = self.give_in(places, works);
                let is_complete = left.is_empty();
                // Nobody who waits gets it, nor waits for another's attempt (F1).
                for mut work in left {
                    work.fail();
                }
                return if is_complete { Ok(()) } else { Err(failure) };
            }
            Err(panic) => {
                let left = self.give_in(places, works);
                return if left.is_empty() { Ok(()) } else { resume_unwind(panic) };
            }
        };
        let ids: Vec<&Id> = places.iter().map(|at| self.ids[*at]).collect();
        let (parts, extras) = values.part(&ids);
        let (mut finished, ended) = (Vec::with_capacity(works.len()), together.precise());
        for ((at, work), out) in places.into_iter().zip(works).zip(parts) {
            finished.push((at, work.finish_by(ended, out, judge)));
        }
        together.has_told();
        self.settle(finished).await;
        for (id, value) in extras {
            let known = (&together, &before);
            if let Some(extra) = self.place_extra(id.borrow(), Some(value), known, judge) {
                settle_async(extra).await;
            }
        }
        Ok(())
    }

    /// Waits until the tiers that are to be waited for have what was computed.
    async fn settle(&mut self, placed: Vec<(usize, Placed<K, Kd>)>) {
        let mut on_their_way = Vec::new();
        for (at, placed) in placed {
            match placed {
                Placed::Landed(finished) if finished.arrival.is_none() => {
                    self.values[at] = Some(finished.out);
                }
                other => on_their_way.push((at, other)),
            }
        }
        let ways = on_their_way.into_iter();
        let ways = ways.map(async |(at, placed)| (at, settle_async(placed).await));
        for (at, out) in join::all(ways).await {
            self.values[at] = Some(out);
        }
    }

    /// Serves former values in place of what failed, and gives back what there is none of.
    fn give_in(
        &mut self,
        places: Vec<usize>,
        works: Vec<Box<Work<K, Kd>>>,
    ) -> Vec<Box<Work<K, Kd>>> {
        let mut left = Vec::new();
        for (at, mut work) in places.into_iter().zip(works) {
            self.values[at] = work.give_in();
            if self.values[at].is_none() {
                left.push(work);
            }
        }
        left
    }

    /// Keeps a value that nobody had asked for, where it may be kept.
    fn place_extra(
        &self,
        id: &Id,
        out: Kd::Out,
        (together, before): (&Together, &Before<K, Kd>),
        judge: &impl Fn(&Kd::Out) -> Verdict,
    ) -> Option<Placed<K, Kd>> {
        let look = || desk::sit(|sitting| (self.look)(id, sitting));
        let found = calling::ask(before.site(), None, Wish::Refresh, look);
        let Found::Miss(miss) = found else { return None };
        let Part::Quest(quest) = miss.part() else { return None };
        if quest.has_files() {
            return None;
        }
        let mut work = quest.extra(before);
        together.take_in(&mut work);
        let verdict = judge(&out);
        Some(work.place(out, &verdict))
    }
}

/// What was asked of another process, and what came of it.
type Ended<K, Kd> = (usize, Box<Work<K, Kd>>, Option<<Kd as Kind>::Out>);

/// Waits until one of the others has ended; those of this process are then to be looked for again.
async fn wait_for_one<K: OwnedKey, Kd: Kind, F: Future<Output = Ended<K, Kd>>>(
    held: &mut Vec<One<F>>,
    waiting: &mut Vec<Waiting<K, Kd>>,
) -> (Vec<Ended<K, Kd>>, Vec<Open<K, Kd>>) {
    let waits = waiting.iter_mut().map(|(_, quest, place)| One::new(quest.wait_at(place)));
    let mut waits: Vec<_> = waits.map(Some).collect();
    let ended = poll_fn(|task| {
        let mut ended = Vec::new();
        held.retain_mut(|one| match one.poll(task) {
            Poll::Ready(end) => {
                ended.push(end);
                false
            }
            Poll::Pending => true,
        });
        let mut is_any = false;
        for wait in &mut waits {
            let is_over = wait.as_mut().is_some_and(|one| one.poll(task).is_ready());
            is_any |= is_over;
            wait.take_if(|_| is_over);
        }
        if is_any || !ended.is_empty() { Poll::Ready(ended) } else { Poll::Pending }
    });
    let ended = ended.await;
    let are_over: Vec<bool> = waits.iter().map(Option::is_none).collect();
    drop(waits);
    let mut are_over = are_over.into_iter();
    // The others keep their places.
    let over = waiting.extract_if(.., |_| are_over.next().unwrap_or(false));
    (ended, over.map(|(at, quest, _)| (at, quest)).collect())
}

/// Waits for nobody, as long as there is something to compute.
fn leave<K: OwnedKey, Kd: Kind>(waiting: Vec<Waiting<K, Kd>>) -> Vec<Open<K, Kd>> {
    waiting.into_iter().map(|(at, quest, _)| (at, quest)).collect()
}
