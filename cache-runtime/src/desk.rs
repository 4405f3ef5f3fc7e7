//! What each thread keeps at hand of the functions it calls: the way to their L1, a cell to count
//! hits in, and copies of plain values.
//!
//! 1. Only calls without surroundings come here: no frame to report to, no runtime but the global.
//! 2. A copy is judged like the entry it was made of, by the same clock and filter, so it needs no
//!    invalidation of its own. Where those can't tell, the entry is asked.
//! 3. Only values and keys that own nothing are copied: dropping them late costs memory of fixed
//!    size, and nothing can observe it.

use crate::clock::{Moment, TimeSource};
use crate::counters::HitCell;
use crate::entry::{Entry, Slots, Stamp};
use crate::function::{self, Function, Instance};
use crate::key::{OwnedKey, View};
use crate::lookup::Miss;
use crate::mark::SEEDS;
use crate::outcome::{Kind, Value};
use crate::tier::memory::{Memory, Probe};
use crate::versions::Versions;
use ahash::RandomState;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Copies a thread keeps of one function's values: one for so many entries of its capacity, within
/// bounds.
const ENTRIES_A_COPY: u64 = 2;
const FEWEST_COPIES: u64 = 64;
const MOST_COPIES: u64 = 131_072;
/// One in so many takes the place of another copy: what is used most comes back soon enough, and
/// what is used once seldom gets in.
const ADMITTED: u32 = 8;
/// Every so many hits the shared entry is asked as well: its age is recorded, and what is used most
/// is also seen to be used, so that it is not evicted.
const SAMPLED: u64 = 64;

/// By site: the instantiation that was called first, and all others.
struct Desks {
    first: Vec<Option<Box<dyn Any>>>,
    others: Option<HashMap<(usize, TypeId), Box<dyn Any>>>,
}

thread_local! {
    static DESKS: RefCell<Desks> = const {
        RefCell::new(Desks { first: Vec::new(), others: None })
    };
}

/// One thread's way to one instantiation.
struct Desk<K, V, S> {
    body: TypeId,
    /// What keys are hashed with, near to what is needed next.
    seed: RandomState,
    versions: Arc<Versions>,
    time: TimeSource,
    cell: Arc<HitCell>,
    copies: Copies<K, V>,
    memory: Arc<Memory<K, V, S>>,
    function: Arc<Function<K, V, S>>,
}

/// Copies of values, each in the one slot that its hash names.
struct Copies<K, V> {
    /// Empty until the first copy is made.
    slots: Box<[Option<Copy<K, V>>]>,
    count: usize,
    /// How many copies would have been made.
    wanted: u32,
}

struct Copy<K, V> {
    key: K,
    value: V,
    /// A stamp, which is never zero: an empty slot takes no more room than a full one.
    valid_at: NonZeroU64,
    expires: Moment,
    slots: Slots,
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
        let mut desks = desks.try_borrow_mut().ok()?;
        let first = desks.first.get_mut(site)?.as_mut()?;
        match first.downcast_mut::<DeskFor<W, Kd>>() {
            Some(desk) if desk.body == body => desk.serve(kind, view),
            _ => desks.serve_other(site, body, kind, view),
        }
    });
    served.unwrap_or(None)
}

/// The function of a call, if it is on this thread's desk.
pub(crate) fn function<K: OwnedKey, V: Value, S: Value>(
    instance: &Instance,
) -> Option<Arc<Function<K, V, S>>> {
    DESKS
        .try_with(|desks| {
            let desks = desks.try_borrow().ok()?;
            let (site, body) = (instance.site.place(), instance.body);
            let first = desks.first.get(site)?.as_ref()?;
            let desk = match first.downcast_ref::<Desk<K, V, S>>() {
                Some(desk) if desk.body == body => desk,
                _ => desks.others.as_ref()?.get(&(site, body))?.downcast_ref()?,
            };
            Some(Arc::clone(&desk.function))
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
        other.downcast_mut::<DeskFor<W, Kd>>()?.serve(kind, view)
    }
}

/// Puts a function on this thread's desk, unless it is there.
#[cold]
pub(crate) fn put<K: OwnedKey, V: Value, S: Value>(
    instance: &Instance,
    function: &Arc<Function<K, V, S>>,
) {
    let (site, body) = (instance.site.place(), instance.body);
    let desk = || Box::new(Desk::new(body, function));
    let _ = DESKS.try_with(|desks| {
        let Ok(mut desks) = desks.try_borrow_mut() else { return };
        if desks.first.len() <= site {
            desks.first.resize_with(site + 1, || None);
        }
        let is_ours = |first: &Box<dyn Any>| {
            first.downcast_ref::<Desk<K, V, S>>().is_some_and(|desk| desk.body == body)
        };
        match &mut desks.first[site] {
            vacant @ None => *vacant = Some(desk()),
            Some(first) if is_ours(first) => {}
            Some(_) => {
                let others = desks.others.get_or_insert_default();
                others.entry((site, body)).or_insert_with(|| desk());
            }
        }
    });
}

impl<K: OwnedKey, V: Value, S: Value> Desk<K, V, S> {
    fn new(body: TypeId, function: &Arc<Function<K, V, S>>) -> Self {
        let runtime = &function.home;
        Self {
            body,
            seed: SEEDS[0].clone(),
            versions: Arc::clone(&runtime.versions),
            time: runtime.time.clone(),
            cell: function.counters.cell(),
            copies: Copies::new(function.site.options.capacity),
            memory: Arc::clone(&function.memory),
            function: Arc::clone(function),
        }
    }

    #[inline]
    fn serve<W, Kd>(&mut self, kind: Kd, view: &W) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let probe = Probe { hash: function::hash(&self.seed, view), view };
        let Some(copy) = self.copies.find(probe, &self.versions, &self.time) else {
            return self.serve_shared(kind, probe);
        };
        let out = kind.serve(copy);
        self.count(kind.is_negative(&out), probe);
        Some(out)
    }

    #[inline(never)]
    fn serve_shared<W, Kd>(&mut self, kind: Kd, probe: Probe<'_, W>) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let copies = &mut self.copies;
        let mut negative = false;
        // A miss is found again, and its reason counted, on the long way.
        let out = self.memory.get(probe, &self.time, &mut Miss::Absent, |entry| {
            copies.make(probe, entry);
            negative = kind.keeps_negative(&entry.value);
            kind.serve(&entry.value)
        });
        if out.is_some() {
            self.count(negative, probe);
        }
        out
    }

    #[inline]
    fn count<W: View<Owned = K>>(&self, negative: bool, probe: Probe<'_, W>) {
        if self.cell.hit(negative).is_multiple_of(SAMPLED) {
            self.sample(probe);
        }
    }

    #[cold]
    #[inline(never)]
    fn sample<W: View<Owned = K>>(&self, probe: Probe<'_, W>) {
        let born = self.memory.get(probe, &self.time, &mut Miss::Absent, |entry| entry.about.born);
        if let Some(born) = born {
            self.function.counters.age_at_serve.record(self.time.now().since(born));
        }
    }
}

impl<K: 'static, V: Clone + 'static> Copies<K, V> {
    const POSSIBLE: bool = !std::mem::needs_drop::<K>()
        && !std::mem::needs_drop::<V>()
        && size_of::<Copy<K, V>>() <= 128;

    fn new(capacity: u64) -> Self {
        let count = (capacity / ENTRIES_A_COPY).clamp(FEWEST_COPIES, MOST_COPIES);
        let count = usize::try_from(count).expect("bounded above").next_power_of_two();
        Self { slots: Box::default(), count, wanted: 0 }
    }

    /// The slot of a hash among `count`, a power of two.
    #[inline]
    fn slot(hash: u64, count: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
        let bits = hash as usize;
        bits & count.wrapping_sub(1)
    }

    #[inline]
    fn find<W: View<Owned = K>>(
        &mut self,
        probe: Probe<'_, W>,
        versions: &Versions,
        time: &TimeSource,
    ) -> Option<&V> {
        if !Self::POSSIBLE {
            return None;
        }
        let slot = Self::slot(probe.hash, self.slots.len());
        let copy = self.slots.get_mut(slot)?.as_mut()?;
        let good = probe.view.matches(&copy.key)
            && copy.is_valid(versions)
            && (copy.expires == Moment::NEVER || time.now() < copy.expires);
        good.then_some(&copy.value)
    }

    #[inline]
    fn make<W: View<Owned = K>>(&mut self, probe: Probe<'_, W>, entry: &Entry<V>) {
        if !Self::POSSIBLE {
            return;
        }
        if self.slots.is_empty() {
            self.slots = (0..self.count).map(|_| None).collect();
        }
        let slot = &mut self.slots[Self::slot(probe.hash, self.count)];
        let taken = slot.as_ref().is_some_and(|copy| !probe.view.matches(&copy.key));
        self.wanted = self.wanted.wrapping_add(1);
        if taken && !self.wanted.is_multiple_of(ADMITTED) {
            return;
        }
        *slot = NonZeroU64::new(entry.valid_at().0).map(|valid_at| Copy {
            key: probe.view.own(),
            value: entry.value.clone(),
            valid_at,
            expires: entry.expires,
            slots: entry.slots,
        });
    }
}

impl<K, V> Copy<K, V> {
    #[inline]
    fn is_valid(&mut self, versions: &Versions) -> bool {
        if self.valid_at.get() == versions.now().0 {
            return true;
        }
        let since = Stamp(self.valid_at.get());
        match versions.check_slots(self.slots, since).and_then(|clock| NonZeroU64::new(clock.0)) {
            Some(clock) => {
                self.valid_at = clock;
                true
            }
            None => false,
        }
    }
}
