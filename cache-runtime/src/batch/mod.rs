//! Many calls made as one: each element of a batch is an entry of its own, and the body sees those that are
//! not there.
//!
//! 1. Whoever leads the flights of some elements lands them before it waits for others, so two batches
//!    never wait for each other, whatever their order.
//! 2. What the body is found to depend on, every element that it computed does.
//! 3. A body that fails as a whole lands nothing: whoever waits for an element of it takes over.

mod collections;
mod each;
mod join;
mod rounds;

pub use self::collections::{Answer, Ids, Parts, Values};
pub use self::each::Each;

use crate::call::Found;
use crate::key::OwnedKey;
use crate::miss::Miss;
use crate::outcome::Kind;
use crate::sync;
use crate::verdict::Verdict;
use std::future::{Future, ready};

/// A batch, as far as it could be served at once.
pub struct Batch<'a, C: Ids + ?Sized, Id: ?Sized, K: OwnedKey, Kd: Kind, L> {
    ids: Vec<&'a Id>,
    /// In the order of the ids.
    values: Vec<Option<Kd::Out>>,
    missed: Vec<Missed<'a, C::Id, K, Kd>>,
    /// Looks an element up.
    look: L,
}

/// An element that has to be computed.
struct Missed<'a, T, K: OwnedKey, Kd: Kind> {
    at: usize,
    given: &'a T,
    miss: Box<Miss<K, Kd>>,
}

impl<'a, C, Id, K, Kd, L> Batch<'a, C, Id, K, Kd, L>
where
    C: Ids + ?Sized,
    Id: ?Sized,
    K: OwnedKey,
    Kd: Kind,
    L: Fn(&Id) -> Found<Kd::Out, Miss<K, Kd>>,
{
    /// Looks every element up.
    pub fn ask(given: &'a C, id: impl Fn(&'a C::Id) -> &'a Id, look: L) -> Self {
        let given = given.each();
        let (mut ids, mut missed) = (Vec::with_capacity(given.size_hint().0), Vec::new());
        let mut values = Vec::with_capacity(given.size_hint().0);
        for (at, given) in given.enumerate() {
            let id = id(given);
            ids.push(id);
            values.push(match look(id) {
                Found::Hit(out) => Some(out),
                Found::Miss(miss) => {
                    missed.push(Missed { at, given, miss });
                    None
                }
            });
        }
        Self { ids, values, missed, look }
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
            Err(failure) => failure,
        }
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
