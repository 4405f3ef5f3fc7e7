//! What each thread keeps at hand of the functions it calls: the way to their L1, a cell to count
//! hits in, and copies of values.
//!
//! Only calls without surroundings come here: no frame to report to, no runtime but the global.

use crate::clock::TimeSource;
use crate::copies::Copies;
use crate::counters::HitCell;
use crate::function::{self, Function, Instance};
use crate::hash::Seed;
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::mark::SEEDS;
use crate::news::News;
use crate::outcome::{Kind, Value};
use crate::tier::memory::{Memory, Probe};
use crate::typed::Typed;
use crate::versions::Versions;
use crate::view::View;
use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Every so many hits the shared entry is asked as well: its age is recorded, and what is used most
/// is also seen to be used, so that it is not evicted.
const SAMPLED: u64 = 256;

/// By site: the instantiation that was called first, and all others.
struct Desks {
    first: Vec<Option<Typed>>,
    others: Option<HashMap<(usize, TypeId), Typed>>,
    /// Of the one runtime that calls without surroundings have.
    news: Option<Box<News>>,
}

thread_local! {
    static DESKS: RefCell<Desks> = const {
        RefCell::new(Desks { first: Vec::new(), others: None, news: None })
    };
}

/// One thread's way to one instantiation.
struct Desk<K, V, S> {
    body: TypeId,
    /// What keys are hashed with, near to what is needed next.
    seed: Seed,
    versions: Arc<Versions>,
    time: TimeSource,
    cell: Arc<HitCell>,
    copies: Copies<K, V>,
    memory: Arc<Memory<K, V, S>>,
    function: Arc<Function<K, V, S>>,
    /// Why the last look-up found nothing, until that is asked for.
    missed: Option<Miss>,
}

type DeskFor<W, Kd> = Desk<<W as View>::Owned, <Kd as Kind>::Kept, <Kd as Kind>::Shared>;

/// Serves a hit from this thread's desk. Nothing is a reason to ask the long way: no desk yet, a
/// miss, or a call from within a comparison or a clone that this one is making.
#[inline]
pub(crate) fn serve<W: View, Kd: Kind>(
    site: usize,
    body: TypeId,
    kind: Kd,
    view: &W,
) -> Option<Kd::Out> {
    let served = DESKS.try_with(|desks| {
        let desks = &mut *desks.try_borrow_mut().ok()?;
        let first = desks.first.get_mut(site)?.as_mut()?;
        let news = desks.news.as_deref_mut()?;
        match first.get_mut::<DeskFor<W, Kd>>() {
            Some(desk) if desk.body == body => desk.serve(kind, view, news),
            _ => desks.serve_other(site, body, kind, view),
        }
    });
    served.unwrap_or(None)
}

/// The way to a call's function.
pub(crate) struct Way<K, V, S> {
    pub(crate) function: Arc<Function<K, V, S>>,
    /// Why the call was not served from the desk, if L1 was asked.
    pub(crate) missed: Option<Miss>,
}

/// The way to the function of a call, if it is on this thread's desk.
pub(crate) fn way<K: OwnedKey, V: Value, S: Value>(instance: &Instance) -> Option<Way<K, V, S>> {
    DESKS
        .try_with(|desks| {
            let desks = &mut *desks.try_borrow_mut().ok()?;
            let (site, body) = (instance.site.place(), instance.body);
            let first = desks.first.get_mut(site)?.as_mut()?;
            let desk = match first.get_mut::<Desk<K, V, S>>() {
                Some(desk) if desk.body == body => desk,
                _ => desks.others.as_mut()?.get_mut(&(site, body))?.get_mut()?,
            };
            Some(Way { function: Arc::clone(&desk.function), missed: desk.missed.take() })
        })
        .ok()?
}

impl Desks {
    #[inline(never)]
    fn serve_other<W: View, Kd: Kind>(
        &mut self,
        site: usize,
        body: TypeId,
        kind: Kd,
        view: &W,
    ) -> Option<Kd::Out> {
        let other = self.others.as_mut()?.get_mut(&(site, body))?;
        other.get_mut::<DeskFor<W, Kd>>()?.serve(kind, view, self.news.as_deref_mut()?)
    }
}

/// Puts a function on this thread's desk, unless it is there.
#[cold]
pub(crate) fn put<W: View, V: Value, S: Value>(
    instance: &Instance,
    function: &Arc<Function<W::Owned, V, S>>,
) {
    let (site, body) = (instance.site.place(), instance.body);
    let desk = || Typed::new(Desk::new::<W>(body, function));
    let _ = DESKS.try_with(|desks| {
        let Ok(mut desks) = desks.try_borrow_mut() else { return };
        desks.news.get_or_insert_with(|| Box::new(News::new()));
        if desks.first.len() <= site {
            desks.first.resize_with(site + 1, || None);
        }
        let is_ours = |first: &Typed| {
            first.get::<Desk<W::Owned, V, S>>().is_some_and(|desk| desk.body == body)
        };
        match &mut desks.first[site] {
            vacant @ None => *vacant = Some(desk()),
            Some(first) if is_ours(first) => {}
            Some(_) => {
                let others = desks.others.get_or_insert_default();
                others.entry((site, body)).or_insert_with(desk);
            }
        }
    });
}

impl<K: OwnedKey, V: Value, S: Value> Desk<K, V, S> {
    fn new<W: View<Owned = K>>(body: TypeId, function: &Arc<Function<K, V, S>>) -> Self {
        let runtime = &function.home;
        Self {
            body,
            seed: SEEDS[0].clone(),
            versions: Arc::clone(&runtime.versions),
            time: runtime.time.clone(),
            cell: function.counters.cell(),
            copies: Copies::new::<W>(function.site.options.capacity, function.keys, function.mark),
            memory: Arc::clone(&function.memory),
            function: Arc::clone(function),
            missed: None,
        }
    }

    #[inline]
    fn serve<W, Kd>(&mut self, kind: Kd, view: &W, news: &mut News) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let probe = Probe { hash: function::hash(&self.seed, view), view };
        news.hear(&self.versions);
        let Some(copy) = self.copies.find(probe, news, &self.versions, &self.time) else {
            return self.serve_shared(kind, probe);
        };
        // Counted first: the clone is then made where it is wanted, and not moved there.
        if self.cell.hit(kind.keeps_negative(copy)).is_multiple_of(SAMPLED) {
            self.function.sample(probe);
        }
        Some(kind.serve(copy))
    }

    #[inline(never)]
    fn serve_shared<W, Kd>(&mut self, kind: Kd, probe: Probe<'_, W>) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let copies = &mut self.copies;
        let mut negative = false;
        let mut why = Miss::Absent;
        let out = self.memory.get(probe, &self.time, &mut why, |entry| {
            copies.make(probe, entry);
            negative = kind.keeps_negative(&entry.value);
            kind.serve(&entry.value)
        });
        if out.is_none() {
            self.missed = Some(why);
        } else if self.cell.hit(negative).is_multiple_of(SAMPLED) {
            self.function.sample(probe);
        }
        out
    }
}
