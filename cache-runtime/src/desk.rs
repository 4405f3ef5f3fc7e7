//! What each thread keeps at hand of the functions it calls: the way to their L1, a cell to count
//! hits in, and copies of plain values.
//!
//! 1. Only calls without surroundings come here: no frame to report to, no runtime but the global.
//! 2. A copy is served only while the clock stands where it was found valid, so it needs no
//!    invalidation of its own.
//! 3. Only values and keys that own nothing are copied: dropping them late costs memory of fixed
//!    size, and nothing can observe it.

use crate::clock::Moment;
use crate::counters::HitCell;
use crate::entry::{Lifetime, Stamp};
use crate::function::{Function, FunctionOf};
use crate::key::View;
use crate::outcome::Kind;
use crate::tier::memory::Probe;
use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Copies a thread keeps of one function's values, at the most.
const COPIES: usize = 512;
/// A copy is served this often before the shared entry is asked again, so that what is used most
/// is also seen to be used.
const USES: u8 = 32;
/// One in so many hits has its age recorded.
const SAMPLED: u64 = 64;

#[derive(Default)]
struct Desks {
    /// By site: the instantiation that was called first.
    first: Vec<Option<Box<dyn Any>>>,
    /// All others.
    others: HashMap<(usize, TypeId), Box<dyn Any>>,
}

thread_local! {
    static DESKS: RefCell<Desks> = RefCell::default();
}

/// One thread's way to one instantiation.
struct Desk<K, V, S> {
    instance: TypeId,
    function: Arc<Function<K, V, S>>,
    cell: Arc<HitCell>,
    copies: Vec<Option<Copy<K, V>>>,
}

struct Copy<K, V> {
    hash: u64,
    key: K,
    value: V,
    valid_at: Stamp,
    lifetime: Lifetime,
    uses: u8,
}

/// Serves a hit from this thread's desk. Nothing is a reason to ask the long way: no desk yet, a
/// miss, or a call from within a comparison or a clone that this one is making.
#[inline]
pub(crate) fn serve<W: View, Kd: Kind>(
    site: usize,
    instance: TypeId,
    kind: Kd,
    probe: Probe<'_, W>,
) -> Option<Kd::Out> {
    DESKS
        .try_with(|desks| {
            let mut desks = desks.try_borrow_mut().ok()?;
            let first = desks.first.get_mut(site)?.as_mut()?;
            let desk = first.downcast_mut::<Desk<W::Owned, Kd::Kept, Kd::Shared>>();
            match desk {
                Some(desk) if desk.instance == instance => desk.serve(kind, probe),
                _ => desks
                    .others
                    .get_mut(&(site, instance))?
                    .downcast_mut::<Desk<W::Owned, Kd::Kept, Kd::Shared>>()?
                    .serve(kind, probe),
            }
        })
        .ok()?
}

/// Puts a function on this thread's desk.
#[cold]
pub(crate) fn put<W: View, Kd: Kind>(instance: TypeId, function: &Arc<FunctionOf<W, Kd>>) {
    let site = function.site.place();
    let desk = Desk {
        instance,
        function: Arc::clone(function),
        cell: function.counters.cell(),
        copies: Vec::new(),
    };
    let _ = DESKS.try_with(|desks| {
        let Ok(mut desks) = desks.try_borrow_mut() else { return };
        if desks.first.len() <= site {
            desks.first.resize_with(site + 1, || None);
        }
        match &mut desks.first[site] {
            vacant @ None => *vacant = Some(Box::new(desk)),
            Some(first) => {
                let known = first
                    .downcast_ref::<Desk<W::Owned, Kd::Kept, Kd::Shared>>()
                    .is_some_and(|first| first.instance == instance);
                if !known {
                    desks.others.entry((site, instance)).or_insert_with(|| Box::new(desk));
                }
            }
        }
    });
}

impl<K: Eq + 'static, V: Clone + 'static, S: 'static> Desk<K, V, S> {
    const COPYABLE: bool = !std::mem::needs_drop::<K>()
        && !std::mem::needs_drop::<V>()
        && size_of::<Copy<K, V>>() <= 128;

    #[inline]
    fn serve<W, Kd>(&mut self, kind: Kd, probe: Probe<'_, W>) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let runtime = &*self.function.runtime.inner;
        if Self::COPYABLE
            && let Some(copy) = self.copies.get_mut(slot(probe.hash))
            && let Some(copy) = copy
            && copy.hash == probe.hash
            && copy.valid_at == runtime.versions.now()
            && copy.uses > 0
            && (copy.lifetime.expires == Moment::NEVER || runtime.time.now() < copy.lifetime.expires)
            && probe.view.matches(&copy.key)
        {
            copy.uses -= 1;
            let out = kind.serve(&copy.value);
            self.cell.hit(kind.is_negative(&out));
            return Some(out);
        }
        self.serve_shared(kind, probe)
    }

    fn serve_shared<W, Kd>(&mut self, kind: Kd, probe: Probe<'_, W>) -> Option<Kd::Out>
    where
        W: View<Owned = K>,
        Kd: Kind<Kept = V>,
    {
        let function = &*self.function;
        let time = &function.runtime.inner.time;
        let copies = &mut self.copies;
        let (out, lifetime) = function
            .memory
            .get(probe, time, |entry| {
                if Self::COPYABLE {
                    if copies.is_empty() {
                        copies.resize_with(COPIES, || None);
                    }
                    copies[slot(probe.hash)] = Some(Copy {
                        hash: probe.hash,
                        key: probe.view.own(),
                        value: entry.value.clone(),
                        valid_at: entry.valid_at(),
                        lifetime: entry.lifetime,
                        uses: USES,
                    });
                }
                (kind.serve(&entry.value), entry.lifetime)
            })
            .ok()?;
        let hits = self.cell.hit(kind.is_negative(&out));
        if hits % SAMPLED == 0 {
            function.counters.age_at_serve.record(time.now().since(lifetime.born));
        }
        Some(out)
    }
}

#[inline]
fn slot(hash: u64) -> usize {
    // The shared map's shards are told apart by other bits.
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits are wanted")]
    let bits = hash as usize;
    bits & (COPIES - 1)
}
