//! Many calls made as one: each element of a batch is an entry of its own, and the body sees those that are
//! not there.
//!
//! 1. Whoever leads the flights of some elements lands them before it waits for others, so two batches
//!    never wait for each other, whatever their order.
//! 2. What the body is found to depend on, every element that it computed does.
//! 3. A body that fails as a whole lands no value: whoever waits for an element of it computes at once, each for
//!    itself (F1). One that panics is taken over.

mod afresh;
mod collections;
mod each;
mod join;
mod rounds;
mod sorted;
mod wishes;

pub use self::collections::{Answer, Ids, Parts, Values};
pub use self::each::Each;

use self::rounds::Lack;
use self::wishes::Wishes;
use crate::call::Found;
use crate::desk::{self, Sitting};
use crate::errand::Again;
use crate::key::OwnedKey;
use crate::limit::Limit;
use crate::miss::Miss;
use crate::outcome::Kind;
use crate::site::Site;
use crate::stored::Together;
use crate::sync;
use crate::verdict::Verdict;
use std::future::{Future, ready};

/// A batch, as far as it could be served at once.
pub struct Batch<'a, C: Ids + ?Sized, Id: ?Sized, K: OwnedKey, Kd: Kind, L, G> {
    ids: Vec<&'a Id>,
    /// In the order of the ids.
    values: Vec<Option<Kd::Out>>,
    missed: Vec<Missed<'a, C::Id, K, Kd>>,
    /// Looks an element up.
    look: L,
    /// Makes it once more, where what is missing may be computed behind it.
    again: Option<G>,
    /// What it has made for that, and for what is there and to be computed anew: before anything is
    /// claimed, since it clones what is the user's.
    spare: Option<Again<C::Id>>,
    renewal: Option<Again<C::Id>>,
}

/// So many missing elements are made room for as soon as there is one.
const FEW: usize = 16;

/// An element that has to be computed.
struct Missed<'a, T, K: OwnedKey, Kd: Kind> {
    at: usize,
    given: &'a T,
    miss: Miss<K, Kd>,
}

impl<'a, C, Id, K, Kd, L, G> Batch<'a, C, Id, K, Kd, L, G>
where
    C: Ids + ?Sized,
    Id: ?Sized,
    K: OwnedKey,
    Kd: Kind,
    L: Fn(&Id, &mut Sitting<'_>) -> Found<Kd::Out, Miss<K, Kd>>,
    G: Fn() -> Again<C::Id>,
{
    /// Looks every element up. `again` makes the call once more, where it may be outlived.
    pub fn ask(
        site: &'static Site,
        given: &'a C,
        id: impl Fn(&'a C::Id) -> &'a Id,
        look: L,
        again: Option<G>,
    ) -> Self {
        let given = given.each();
        let (mut ids, mut missed) = (Vec::with_capacity(given.size_hint().0), Vec::new());
        let most = given.size_hint().0;
        let mut values = Vec::with_capacity(most);
        desk::sit(|sitting| {
            let (wishes, _together) = (Wishes::of(site), Together::begin());
            for (at, given) in given.enumerate() {
                let id = id(given);
                ids.push(id);
                values.push(match wishes.ask(|| look(id, sitting)) {
                    Found::Hit(out) => Some(out),
                    Found::Miss(miss) => {
                        if missed.is_empty() {
                            missed.reserve(most.saturating_sub(at).min(FEW));
                        }
                        missed.push(Missed { at, given, miss });
                        None
                    }
                });
            }
        });
        let is_any_due = || missed.iter().any(|it| it.miss.is_due());
        // What is on other machines alone is known to be due only once it is looked at.
        let may_be_due = || is_any_due() || site.options.renews_unseen();
        let renewal = again.as_ref().filter(|_| may_be_due()).map(|again| again());
        let is_any_missing = || missed.iter().any(|it| !it.miss.is_due());
        let again = again.filter(|_| site.options.outlives() && is_any_missing());
        Self { ids, values, missed, look, again, spare: None, renewal }
    }

    /// Computes what is missing, and returns all.
    pub fn compute<A>(
        self,
        mut body: impl FnMut(Vec<C::Id>) -> A,
        judge: impl Fn(&A::Value) -> Verdict,
    ) -> A
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
    {
        if self.missed.is_empty() {
            return self.join();
        }
        sync::block_on(self.compute_async(|ids| ready(sync::apart(|| body(ids))), judge))
    }

    /// The same for an async function.
    ///
    /// # Cancellation
    ///
    /// When it is dropped, whoever waits for an element takes over.
    pub async fn compute_async<A, Fut>(
        mut self,
        body: impl FnMut(Vec<C::Id>) -> Fut,
        judge: impl Fn(&A::Value) -> Verdict,
    ) -> A
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        if self.missed.is_empty() {
            return self.join();
        }
        match Box::pin(self.fill(body, judge)).await {
            Ok(()) => self.join(),
            Err(Lack::Failure(failure)) => failure,
            Err(Lack::Time) => unreachable!("nobody gives up without a deadline"),
        }
    }

    /// The same for as long as the deadline lasts, and what `fallback` gives once it is over.
    pub fn compute_or<A>(
        self,
        mut body: impl FnMut(Vec<C::Id>) -> A,
        judge: impl Fn(&A::Value) -> Verdict,
        fallback: impl FnOnce() -> A,
    ) -> A
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
    {
        let Some(limit) = self.limit() else { return self.join() };
        // Of a body that runs here nothing is left to wait for.
        let limit = Limit { deadline: None, ..limit };
        let body = |ids| ready(sync::apart(|| body(ids)));
        sync::block_on(self.fill_within(limit, body, judge, fallback))
    }

    /// The same for an async function.
    ///
    /// # Cancellation
    ///
    /// As that of `compute_async`.
    pub async fn compute_or_async<A, Fut>(
        self,
        body: impl FnMut(Vec<C::Id>) -> Fut,
        judge: impl Fn(&A::Value) -> Verdict,
        fallback: impl FnOnce() -> A,
    ) -> A
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        let Some(limit) = self.limit() else { return self.join() };
        self.fill_within(limit, body, judge, fallback).await
    }

    async fn fill_within<A, Fut>(
        mut self,
        limit: Limit,
        body: impl FnMut(Vec<C::Id>) -> Fut,
        judge: impl Fn(&A::Value) -> Verdict,
        fallback: impl FnOnce() -> A,
    ) -> A
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
        Fut: Future<Output = A>,
    {
        match limit.within(Box::pin(self.fill(body, judge))).await {
            Some(Ok(())) => self.join(),
            Some(Err(Lack::Failure(failure))) => failure,
            Some(Err(Lack::Time)) | None => {
                limit.give_up();
                fallback()
            }
        }
    }

    /// How long the call may take; nothing if there is nothing to wait for.
    fn limit(&self) -> Option<Limit> {
        let mut limits = self.missed.iter().map(|it| it.miss.limit());
        // What is there has no deadline.
        let limited = limits.find(|it| it.deadline.is_some());
        limited.or_else(|| Some(self.missed.first()?.miss.limit()))
    }

    /// All values, each of which is there by now.
    fn join<A>(self) -> A
    where
        A: Answer<Id>,
        Kd: Kind<Out = Option<A::Value>>,
    {
        const {
            assert!(
                C::IS_ORDERED || !A::Values::IS_BY_PLACE,
                "a `HashSet` of ids has no order that values could be in: return a map, or take a slice"
            );
        }
        let values = self.values.into_iter().map(Option::flatten);
        A::of(A::Values::join(self.ids.into_iter().zip(values)))
    }
}
