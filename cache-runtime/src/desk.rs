//! What each thread keeps at hand of the functions it calls: the way to their L1, a cell to count
//! hits in, and copies of values.
//!
//! Only calls without surroundings come here: no frame to report to, no runtime but the global.

use crate::clock::{Moment, TimeSource};
use crate::context;
use crate::copies::Copies;
use crate::counters::HitCell;
use crate::function::{self, Function, Instance};
use crate::hash::{HashMap, Seed};
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::mark::SEEDS;
use crate::news::News;
use crate::outcome::{Kind, Value};
use crate::stored::{Ear, Stored};
use crate::tier::memory::{Memory, Probe};
use crate::typed::Typed;
use crate::versions::Versions;
use crate::view::View;
use std::any::TypeId;
use std::cell::{RefCell, RefMut};
use std::sync::Arc;

/// Every so many hits the shared entry is asked as well: its age is recorded, and what is used most
/// is also seen to be used, so that it is not evicted.
const SAMPLED: u64 = 256;

/// By site: the instantiation that was called first, and all others.
struct Desks {
    first: Vec<Option<Typed>>,
    others: Option<Others>,
    /// Of the one runtime that calls without surroundings have.
    news: Option<Box<News>>,
}

type Others = HashMap<(usize, TypeId), Typed>;

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
    /// What tells of the invalidations of other processes, if they concern the function.
    ear: Option<Ear>,
    cell: Arc<HitCell>,
    copies: Copies<K, V>,
    memory: Arc<Memory<K, V, S>>,
    function: Arc<Function<K, V, S>>,
    /// Why the last look-up found nothing, until that is asked for.
    missed: Option<Miss>,
}

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
        if const { size_of::<Option<Kd::Out>>() <= IN_REGISTERS } {
            serve_apart(desks, site, body, kind, view)
        } else {
            serve_from(desks, site, body, kind, view)
        }
    });
    served.unwrap_or(None)
}

/// So many bytes a function returns in registers. What is longer it writes where it is then moved from, and
/// right behind the writes of a clone that waits for them.
const IN_REGISTERS: usize = 2 * size_of::<usize>();

/// The same by a function that is called: laid out in its caller, it has its arguments written there first.
#[inline(never)]
fn serve_apart<W: View, Kd: Kind>(
    desks: &RefCell<Desks>,
    site: usize,
    body: TypeId,
    kind: Kd,
    view: &W,
) -> Option<Kd::Out> {
    serve_from(desks, site, body, kind, view)
}

#[inline]
fn serve_from<W: View, Kd: Kind>(
    desks: &RefCell<Desks>,
    site: usize,
    body: TypeId,
    kind: Kd,
    view: &W,
) -> Option<Kd::Out> {
    let mut desks = desks.try_borrow_mut().ok()?;
    let (desk, news) = desks.find::<W::Owned, Kd::Kept, Kd::Shared>(site, body)?;
    desk.serve(kind, view, news, &mut None)
}

/// A thread that stays at its desks for many calls, one after the other.
///
/// It gets up for each that it can't serve: seeing to that may take it back to its desks.
pub struct Sitting<'d> {
    /// Nothing if none of the calls may be served here.
    desks: Option<&'d RefCell<Desks>>,
    seat: Option<Seat<'d>>,
}

struct Seat<'d> {
    desks: RefMut<'d, Desks>,
    /// Read once, for as long as it stays.
    now: Option<Moment>,
}

/// Makes many calls. Only those without surroundings are served from the desks.
pub fn sit<R>(calls: impl FnOnce(&mut Sitting<'_>) -> R) -> R {
    // A thread that is ending has none any more.
    if context::is_set() || DESKS.try_with(|_| ()).is_err() {
        return calls(&mut Sitting { desks: None, seat: None });
    }
    DESKS.with(|desks| calls(&mut Sitting { desks: Some(desks), seat: None }))
}

impl Sitting<'_> {
    /// Serves a hit, as [`serve`] does.
    #[inline]
    pub(crate) fn serve<W: View, Kd: Kind>(
        &mut self,
        site: usize,
        body: TypeId,
        kind: Kd,
        view: &W,
    ) -> Option<Kd::Out> {
        if self.seat.is_none() {
            let desks = self.desks?.try_borrow_mut().ok()?;
            self.seat = Some(Seat { desks, now: None });
        }
        let Seat { desks, now } = self.seat.as_mut()?;
        let (desk, news) = desks.find::<W::Owned, Kd::Kept, Kd::Shared>(site, body)?;
        desk.serve(kind, view, news, now)
    }

    /// Leaves the desks to whatever comes before the next call.
    #[inline]
    pub(crate) fn get_up(&mut self) {
        self.seat = None;
    }
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
            let mut desks = desks.try_borrow_mut().ok()?;
            let (desk, _) = desks.find::<K, V, S>(instance.site.place(), instance.body)?;
            Some(Way { function: Arc::clone(&desk.function), missed: desk.missed.take() })
        })
        .ok()?
}

impl Desks {
    /// The desk of an instantiation, and what this thread has heard.
    #[inline]
    fn find<K: OwnedKey, V: Value, S: Value>(
        &mut self,
        site: usize,
        body: TypeId,
    ) -> Option<(&mut Desk<K, V, S>, &mut News)> {
        let news = self.news.as_deref_mut()?;
        let desk = match self.first.get_mut(site)?.as_mut()?.get_mut::<Desk<K, V, S>>() {
            Some(desk) if desk.body == body => desk,
            _ => find_other(self.others.as_mut()?, site, body)?,
        };
        Some((desk, news))
    }
}

#[inline(never)]
fn find_other<T: 'static>(others: &mut Others, site: usize, body: TypeId) -> Option<&mut T> {
    others.get_mut(&(site, body))?.get_mut()
}

/// Puts a function on this thread's desk, unless it is there.
#[cold]
pub(crate) fn put<W: View, V: Value, S: Value>(
    instance: &Instance,
    function: &Arc<Function<W::Owned, V, S>>,
) {
    let (site, body) = (instance.site.place(), instance.body);
    let _ = DESKS.try_with(|desks| {
        let Ok(mut desks) = desks.try_borrow_mut() else { return };
        if desks.find::<W::Owned, V, S>(site, body).is_some() {
            return;
        }
        desks.news.get_or_insert_with(|| Box::new(News::new()));
        if desks.first.len() <= site {
            desks.first.resize_with(site + 1, || None);
        }
        let desk = Typed::new(Desk::new::<W>(body, function));
        match &mut desks.first[site] {
            vacant @ None => *vacant = Some(desk),
            Some(_) => {
                desks.others.get_or_insert_default().insert((site, body), desk);
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
            ear: function.stored.as_ref().and_then(Stored::ear),
            cell: function.counters.cell(),
            copies: Copies::new::<W>(function.site.options.capacity, function.keys, function.mark),
            memory: Arc::clone(&function.memory),
            function: Arc::clone(function),
            missed: None,
        }
    }

    /// `now` is kept for calls that follow at once.
    #[inline]
    fn serve<W, Kd>(
        &mut self,
        kind: Kd,
        view: &W,
        news: &mut News,
        now: &mut Option<Moment>,
    ) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let probe = Probe { hash: function::hash(&self.seed, view), view };
        if self.ear.as_ref().is_some_and(|ear| !ear.hear()) {
            self.missed = Some(Miss::Unavailable);
            return None;
        }
        news.hear(&self.versions);
        let time = &self.time;
        let now = || *now.get_or_insert_with(|| time.now());
        let Some(copy) = self.copies.find(probe, news, &self.versions, now) else {
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
        if !self.function.in_memory {
            self.missed = Some(Miss::Absent);
            return None;
        }
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
