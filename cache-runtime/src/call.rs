//! The path of a call: look up, and on a miss join or compute, then store.
//!
//! 1. The stamp of a computation is read before any tier is (C1).
//! 2. What a value was computed from is handed to the caller's computation with the value, however
//!    the value was come by (V7).
//! 3. What needs more of the surroundings than the function's key says is neither stored nor
//!    handed to anyone who waited (C6).

use crate::ask::Wish;
use crate::context::{self, Surroundings};
use crate::desk;
use crate::entry::Marks;
use crate::frame::{Frame, Keyed};
use crate::function::{self, Function, FunctionOf};
use crate::key::{OwnedKey, View};
use crate::mark::Mark;
use crate::outcome::Kind;
use crate::quest::{Quest, Step};
use crate::runtime::Runtime;
use crate::site::Site;
use crate::sync;
use crate::tier::memory::Probe;
use crate::verdict::Verdict;
use crate::work::Basis;
use std::any::{TypeId, type_name};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

/// One call, as the expansion describes it.
pub struct Call<'a, I, F, Kd> {
    site: &'static Site,
    /// The type that tells instantiations apart, and the one that tells those apart which a
    /// companion can name.
    types: PhantomData<fn() -> (I, F)>,
    kind: Kd,
    runtime: Option<&'a Runtime>,
}

impl<'a, I, F, Kd: Kind> Call<'a, I, F, Kd> {
    /// Describes a call of the function that `instance` is declared in.
    #[inline]
    pub fn new(site: &'static Site, _instance: &I, _family: &F, kind: Kd) -> Self {
        Self { site, types: PhantomData, kind, runtime: None }
    }

    /// The same call on another runtime.
    #[inline]
    #[must_use]
    pub fn on(mut self, runtime: &'a Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }
}

/// What a look-up came to.
pub enum Found<Out, M> {
    /// The answer.
    Hit(Out),
    /// What to compute it with.
    Miss(M),
}

/// What a call says of its entry before the body runs; filled by the expansion, on a miss only.
#[derive(Default)]
pub struct Declared {
    marks: Marks,
    readable: Option<Box<str>>,
}

impl Declared {
    /// One tag.
    pub fn tag(&mut self, tag: fmt::Arguments<'_>) {
        let mark = match tag.as_str() {
            Some(plain) => Mark::tag(plain),
            None => Mark::tag(&tag.to_string()),
        };
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
    }

    /// The readable key.
    pub fn key(&mut self, key: fmt::Arguments<'_>) {
        self.readable = Some(key.to_string().into_boxed_str());
    }
}

/// Looks a call up, in this thread's desk first.
///
/// `declare` runs on a miss only.
#[inline]
#[expect(clippy::needless_pass_by_value, reason = "each expansion describes its call once")]
pub fn look_up<I, F, W: View, Kd: Kind>(
    call: Call<'_, I, F, Kd>,
    view: &W,
    declare: impl FnOnce(&mut Declared),
) -> Found<Kd::Out, Miss<W::Owned, Kd>> {
    let probe = function::probe(view);
    let plain = !context::is_set() && call.runtime.is_none();
    if plain {
        let mut out = None;
        desk::serve(call.site.place(), typeid::of::<I>(), call.kind, probe, &mut out);
        if let Some(out) = out {
            return Found::Hit(out);
        }
    }
    look_up_shared(&call, probe, plain, declare)
}

/// Looks a call up with all its surroundings.
#[cold]
fn look_up_shared<I, F, W: View, Kd: Kind>(
    call: &Call<'_, I, F, Kd>,
    probe: Probe<'_, W>,
    plain: bool,
    declare: impl FnOnce(&mut Declared),
) -> Found<Kd::Out, Miss<W::Owned, Kd>> {
    let site = call.site;
    let surroundings = if plain { None } else { context::current() };
    let surroundings = surroundings.as_deref();
    let runtime = call.runtime.cloned().or_else(|| surroundings?.runtime.clone());
    let runtime = runtime.as_ref().unwrap_or_else(|| Runtime::global());
    let wish = if plain { None } else { context::take_ask(site.place()) }.map(|ask| ask.wish);
    let miss = |plan| Found::Miss(Miss { site, runtime: runtime.clone(), plan });
    let mut declared = Declared::default();

    let function = find::<I, F, W, Kd>(site, runtime, surroundings);
    let bypass = bypass(site, surroundings, function.is_some(), wish.as_ref());
    let (None, Some(function)) = (bypass, function) else {
        let caller = surroundings.and_then(|surroundings| surroundings.frame.clone());
        if let Some(caller) = caller {
            declare(&mut declared);
            caller.tag(function::key_mark(site, family::<I, F>(), probe));
            blame(&caller, runtime, site, type_name::<I>(), declared.marks);
        }
        return miss(Plan::Bypass(bypass.unwrap_or(Bypass::Scope)));
    };
    if plain {
        desk::put::<W, Kd>(typeid::of::<I>(), &function);
    }
    if wish.is_none() {
        let frame = surroundings.and_then(|surroundings| surroundings.frame.as_deref());
        match function.serve(call.kind, probe, frame) {
            Ok(out) => return Found::Hit(out),
            Err(reason) => function.counters.miss(reason),
        }
    }
    let arrival = runtime.stamp();
    declare(&mut declared);
    let mut marks = function.marks(probe);
    marks.append(&mut declared.marks);
    let basis = Basis { hash: probe.hash, marks, readable: declared.readable, arrival };
    let quest = Quest::new(function, call.kind, basis, probe.view.own());
    miss(match wish {
        Some(Wish::Refresh) => Plan::Compute(quest.anew()),
        Some(Wish::Put(value)) => match value.downcast() {
            Ok(value) => Plan::Put(*value, quest),
            Err(_) => Plan::Compute(quest),
        },
        Some(Wish::Uncached) | None => Plan::Compute(quest),
    })
}

fn find<I, F, W: View, Kd: Kind>(
    site: &'static Site,
    runtime: &Runtime,
    surroundings: Option<&Surroundings>,
) -> Option<Arc<FunctionOf<W, Kd>>> {
    let instance = typeid::of::<I>();
    Function::find(site, runtime, instance, family::<I, F>(), type_name::<I>(), surroundings)
}

/// The type that a companion can name; a function without one has its own.
fn family<I, F>() -> TypeId {
    if typeid::of::<F>() == TypeId::of::<()>() { typeid::of::<I>() } else { typeid::of::<F>() }
}

/// Why a call is computed without the cache.
#[derive(Clone, Copy, Debug)]
enum Bypass {
    /// `when` said so.
    When,
    /// Keyed by an ambient context that is not there (K4).
    Context,
    /// Keyed by a scope that nobody has begun.
    Scope,
    /// The caller asked for it.
    Asked,
}

fn bypass(
    site: &Site,
    surroundings: Option<&Surroundings>,
    scoped: bool,
    wish: Option<&Wish>,
) -> Option<Bypass> {
    let ambient = surroundings.is_some_and(|surroundings| surroundings.ambient.is_some());
    if matches!(wish, Some(Wish::Uncached)) {
        Some(Bypass::Asked)
    } else if site.options.keyed.covers(Keyed::CONTEXT) && !ambient {
        Some(Bypass::Context)
    } else if !scoped {
        Some(Bypass::Scope)
    } else {
        None
    }
}

/// Describes a call for which `when` is false.
pub fn pass<I, F, K: OwnedKey, Kd: Kind>(
    call: &Call<'_, I, F, Kd>,
    declare: impl FnOnce(&mut Declared),
) -> Found<Kd::Out, Miss<K, Kd>> {
    let runtime = call.runtime.cloned().unwrap_or_else(context::runtime);
    if let Some(caller) = context::frame() {
        let mut declared = Declared::default();
        declare(&mut declared);
        blame(&caller, &runtime, call.site, type_name::<I>(), declared.marks);
    }
    let plan = Plan::Bypass(Bypass::When);
    Found::Miss(Miss { site: call.site, runtime, plan })
}

/// Makes a computation depend on a callee that is computed as a part of it.
fn blame(caller: &Frame, runtime: &Runtime, site: &'static Site, printed: &str, marks: Marks) {
    let name = site.learn(printed);
    runtime.enlist(site.place(), &name);
    caller.tag(Mark::function(site.place(), &name));
    marks.into_iter().for_each(|mark| caller.tag(mark));
    caller.need(site.options.keyed);
}

/// A call that has to be computed.
pub struct Miss<K: OwnedKey, Kd: Kind> {
    site: &'static Site,
    runtime: Runtime,
    plan: Plan<K, Kd>,
}

enum Plan<K: OwnedKey, Kd: Kind> {
    Bypass(Bypass),
    Compute(Quest<K, Kd>),
    Put(Kd::Out, Quest<K, Kd>),
}

impl<K, Kd> Miss<K, Kd>
where
    K: OwnedKey,
    Kd: Kind,
{
    /// Computes in place, or waits for whoever does.
    pub fn compute(
        self,
        body: impl FnOnce() -> Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Kd::Out {
        let mut quest = match self.plan {
            Plan::Bypass(reason) => {
                reason.count(&self.runtime, self.site);
                return body();
            }
            Plan::Put(out, quest) => return quest.put().finish(out, judge),
            Plan::Compute(quest) => quest,
        };
        let work = loop {
            match quest.step() {
                Step::Serve(out) => return out,
                Step::Work(work) => break work,
                Step::Wait(waiter) => sync::block_on(quest.wait(waiter)),
            }
        };
        let out = work.run(body);
        work.finish(out, judge)
    }

    /// Computes in place, or waits for whoever does.
    ///
    /// # Cancellation
    ///
    /// When it is dropped, another caller that waits for it takes over.
    pub async fn compute_async<Fut: Future<Output = Kd::Out>>(
        self,
        body: impl FnOnce() -> Fut,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Kd::Out {
        let mut quest = match self.plan {
            Plan::Bypass(reason) => {
                reason.count(&self.runtime, self.site);
                return body().await;
            }
            Plan::Put(out, quest) => return quest.put().finish(out, judge),
            Plan::Compute(quest) => quest,
        };
        let work = loop {
            match quest.step() {
                Step::Serve(out) => return out,
                Step::Work(work) => break work,
                Step::Wait(waiter) => quest.wait(waiter).await,
            }
        };
        let out = work.drive(body()).await;
        work.finish(out, judge)
    }
}

impl Bypass {
    fn count(self, runtime: &Runtime, site: &'static Site) {
        let counters = runtime.counters(site.place());
        let count = match self {
            Self::When => &counters.bypasses_when,
            Self::Context => &counters.bypasses_context,
            Self::Scope => &counters.bypasses_scope,
            Self::Asked => &counters.bypasses_asked,
        };
        count.add(1);
    }
}
