//! A call that has to be computed: with its body, in either colour.

use crate::ask::Wish;
use crate::context;
use crate::entry::About;
use crate::key::OwnedKey;
use crate::limit::Limit;
use crate::outcome::{HandsOn, Kind};
use crate::quest::{Quest, Step};
use crate::runtime::Runtime;
use crate::site::Site;
use crate::sync;
use crate::verdict::Verdict;
use crate::work::{self, Placed};
use std::future::Future;
use std::pin::Pin;
use std::slice;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Why a call is computed without the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bypass {
    /// `when` said so.
    When,
    /// Keyed by an ambient context that is not there (K4).
    Context,
    /// Keyed by a scope that nobody has begun.
    Scope,
    /// The caller asked for it.
    Asked,
    /// Made while the cache clones or compares, or by a thread that ends.
    Reentrant,
}

/// A call that has to be computed.
pub struct Miss<K: OwnedKey, Kd: Kind> {
    plan: Plan<K, Kd>,
}

/// A call that is computed without a deadline. Boxed, so that the caller's future stays small and may
/// contain itself.
pub struct Computing<F>(Pin<Box<F>>);

impl<Out, F: Future<Output = Option<Out>>> Future for Computing<F> {
    type Output = Out;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Out> {
        let found = self.0.as_mut().poll(task);
        found.map(|out| out.expect("nobody gives up without a deadline"))
    }
}

enum Plan<K: OwnedKey, Kd: Kind> {
    Bypass(Box<Bypassed<Kd>>),
    Compute(Box<Quest<K, Kd>>),
    /// Once what there is has been invalidated.
    Force(Box<Quest<K, Kd>>),
    Put(Box<Valued<K, Kd>>),
    /// It is there, and to be computed anew.
    Due(Box<Valued<K, Kd>>),
}

/// A call whose value is there.
type Valued<K, Kd> = (<Kd as Kind>::Out, Box<Quest<K, Kd>>);

/// A call to be computed without the cache.
pub(crate) struct Bypassed<Kd: Kind> {
    site: &'static Site,
    runtime: Runtime,
    kind: Kd,
    reason: Bypass,
    /// What was to be stored, where nothing is: the body does not run for it.
    put: Option<Kd::Out>,
}

/// A call that is one of many.
pub(crate) enum Part<K: OwnedKey, Kd: Kind> {
    Quest(Box<Quest<K, Kd>>),
    /// Once what there is has been invalidated.
    Forced(Box<Quest<K, Kd>>),
    /// Whose value is there already.
    Put(Kd::Out, Box<Quest<K, Kd>>),
    /// The same, and to be computed anew.
    Due(Kd::Out, Box<Quest<K, Kd>>),
    Bypassed(Box<Bypassed<Kd>>),
}

impl<Kd: Kind> Bypassed<Kd> {
    /// Takes what was to be stored, if anything was.
    pub(crate) fn take_put(&mut self) -> Option<Kd::Out> {
        self.put.take()
    }

    /// Ends a call that somebody else has computed.
    pub(crate) fn end(self, out: &Kd::Out, judge: impl FnOnce(&Kd::Out) -> Verdict) {
        self.reason.count(&self.runtime, self.site);
        self.tell(out, judge);
    }

    fn limit(&self) -> Limit {
        Limit {
            deadline: self.site.options.deadline,
            site: self.site,
            home: self.runtime.inner.id,
            time: self.runtime.inner.time.clone(),
            counters: self.runtime.counters(self.site.place()),
        }
    }

    /// Tells the computation this is part of what it depends on by the value.
    fn tell(&self, out: &Kd::Out, judge: impl FnOnce(&Kd::Out) -> Verdict) {
        let Some(caller) = context::frame() else { return };
        let verdict = judge(out);
        let time = &self.runtime.inner.time;
        let expires = work::expiry((&self.site.options, None), time, self.kind, out, &verdict);
        let about = About::of_bypassed(verdict.tags, None, time.now());
        let keyed = self.site.options.keyed;
        caller.inherit(self.runtime.inner.id, &Arc::new(about), expires, keyed);
    }
}

impl<K, Kd> Miss<K, Kd>
where
    K: OwnedKey,
    Kd: Kind,
{
    pub(crate) fn bypassed(
        site: &'static Site,
        runtime: Runtime,
        kind: Kd,
        reason: Bypass,
        wish: Option<Wish>,
    ) -> Self {
        let put = match wish {
            Some(Wish::Put(value)) => value.downcast().ok().map(|value| *value),
            _ => None,
        };
        Self { plan: Plan::Bypass(Box::new(Bypassed { site, runtime, kind, reason, put })) }
    }

    /// A call to be computed as a companion may have wished.
    pub(crate) fn wished(mut quest: Box<Quest<K, Kd>>, wish: Option<Wish>) -> Self {
        if wish.as_ref().is_some_and(Wish::outlasts_callers) {
            quest.outlast_all();
        }
        let plan = match wish {
            Some(Wish::Refresh) => Plan::Compute(quest.anew()),
            Some(Wish::Force) => Plan::Force(quest),
            Some(Wish::Lead(charge)) => Plan::Compute(quest.take_up(charge)),
            Some(Wish::LeadAll(charges)) => {
                Plan::Compute(quest.take_up_one_of(&mut charges.lock()))
            }
            Some(Wish::Put(value)) => match value.downcast() {
                Ok(value) => Plan::Put(Box::new((*value, quest))),
                Err(_) => Plan::Compute(quest),
            },
            Some(Wish::Uncached | Wish::Warm(_)) | None => Plan::Compute(quest),
        };
        Self { plan }
    }

    /// A call that is served, and sees to it that its value is computed anew.
    pub(crate) fn due(out: Kd::Out, quest: Box<Quest<K, Kd>>) -> Self {
        Self { plan: Plan::Due(Box::new((out, quest))) }
    }

    /// Whether it is such a call.
    pub(crate) fn is_due(&self) -> bool {
        matches!(self.plan, Plan::Due(..))
    }

    /// The call without a deadline, and without a time after which a former value will do.
    #[must_use]
    pub fn at_leisure(mut self) -> Self {
        if let Plan::Compute(quest) | Plan::Force(quest) = &mut self.plan {
            quest.outlast_all();
        }
        self
    }

    /// The call as one of many.
    pub(crate) fn part(self) -> Part<K, Kd> {
        match self.plan {
            Plan::Bypass(bypassed) => Part::Bypassed(bypassed),
            Plan::Force(quest) => Part::Forced(quest),
            Plan::Compute(quest) => Part::Quest(quest),
            Plan::Put(valued) => Part::Put(valued.0, valued.1),
            Plan::Due(valued) => Part::Due(valued.0, valued.1),
        }
    }

    /// Computes in place, or waits for whoever does.
    pub fn compute(
        self,
        body: impl FnOnce() -> Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Kd::Out {
        self.find(body, judge).expect("nobody gives up without a deadline")
    }

    /// The same for as long as the deadline lasts, and what `fallback` gives once it is over.
    pub fn compute_or(
        self,
        body: impl FnOnce() -> Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
        fallback: impl FnOnce() -> Kd::Out,
    ) -> Kd::Out
    where
        Kd: HandsOn,
    {
        let limit = self.limit();
        self.find(body, judge).unwrap_or_else(|| {
            limit.give_up();
            fallback()
        })
    }

    /// Nothing if there was no more time.
    fn find(
        self,
        body: impl FnOnce() -> Kd::Out,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Option<Kd::Out> {
        let mut quest = match self.plan {
            Plan::Bypass(mut bypassed) => {
                bypassed.reason.count(&bypassed.runtime, bypassed.site);
                let put = bypassed.put.take();
                let out = put.unwrap_or_else(|| context::optionless(body));
                bypassed.tell(&out, judge);
                return Some(out);
            }
            Plan::Put(valued) => {
                let (out, quest) = *valued;
                let verdict = judge(&out);
                let mut work = sync::block_on(quest.put());
                if work.is_shared() {
                    sync::block_on(work.consult());
                }
                return Some(settle(work.place(out, &verdict)));
            }
            // Those who make it together with others see to it.
            Plan::Due(valued) => return Some(valued.0),
            Plan::Force(quest) => sync::block_on(quest.forget()),
            Plan::Compute(quest) => quest,
        };
        let mut work = loop {
            #[cfg(feature = "redis")]
            if quest.may_glance()
                && let Some(out) = sync::block_on(quest.glance())
            {
                return Some(out);
            }
            match quest.step() {
                Step::Serve(out) => return Some(out),
                Step::GiveUp => return None,
                Step::Work(work) => break work,
                // It is the next step.
                Step::Gather => {}
                Step::Wait(waiter) => sync::block_on(quest.wait(waiter)),
            }
        };
        if work.is_shared()
            && let Some(out) = sync::block_on(work.consult())
        {
            return Some(out);
        }
        Some(settle(match work.run(body) {
            Ok(out) => work.finish(out, judge),
            Err(panic) => work.recover(panic),
        }))
    }

    /// The same for a function whose values are kept on other machines alone: it looks there first.
    /// There is room for a computation only once it comes to that.
    ///
    /// # Cancellation
    ///
    /// As that of `compute_async`.
    pub async fn glance_or_compute<Fut: Future<Output = Kd::Out>>(
        self,
        body: impl FnOnce() -> Fut,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Kd::Out {
        #[cfg(feature = "redis")]
        let this = {
            let mut this = self;
            if let Plan::Compute(quest) = &mut this.plan
                && quest.may_glance()
                && let Some(out) = quest.glance().await
            {
                return out;
            }
            this
        };
        #[cfg(not(feature = "redis"))]
        let this = self;
        this.compute_async(body, judge).await
    }

    /// Computes in place, or waits for whoever does.
    ///
    /// # Cancellation
    ///
    /// When it is dropped, another caller that waits for it takes over.
    pub fn compute_async<Fut: Future<Output = Kd::Out>>(
        self,
        body: impl FnOnce() -> Fut,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Computing<impl Future<Output = Option<Kd::Out>>> {
        Computing(Box::pin(self.find_async(body, judge)))
    }

    /// The same for as long as the deadline lasts, and what `fallback` gives once it is over.
    ///
    /// # Cancellation
    ///
    /// As that of `compute_async`.
    pub async fn compute_or_async<Fut: Future<Output = Kd::Out>>(
        self,
        body: impl FnOnce() -> Fut,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
        fallback: impl FnOnce() -> Kd::Out,
    ) -> Kd::Out {
        let limit = self.limit();
        let found = limit.within(Box::pin(self.find_async(body, judge))).await;
        found.flatten().unwrap_or_else(|| {
            limit.give_up();
            fallback()
        })
    }

    /// Nothing if there was no more time.
    async fn find_async<Fut: Future<Output = Kd::Out>>(
        self,
        body: impl FnOnce() -> Fut,
        judge: impl FnOnce(&Kd::Out) -> Verdict,
    ) -> Option<Kd::Out> {
        let mut quest = match self.plan {
            Plan::Bypass(mut bypassed) => {
                bypassed.reason.count(&bypassed.runtime, bypassed.site);
                let out = match bypassed.put.take() {
                    Some(out) => out,
                    None => context::optionless_async(body()).await,
                };
                bypassed.tell(&out, judge);
                return Some(out);
            }
            Plan::Put(valued) => {
                let (out, quest) = *valued;
                let verdict = judge(&out);
                let mut work = quest.put().await;
                if work.is_shared() {
                    work.consult().await;
                }
                return Some(settle_async(work.place(out, &verdict)).await);
            }
            Plan::Due(valued) => return Some(valued.0),
            Plan::Force(quest) => quest.forget().await,
            Plan::Compute(quest) => quest,
        };
        let mut work = loop {
            #[cfg(feature = "redis")]
            if quest.may_glance()
                && let Some(out) = quest.glance().await
            {
                return Some(out);
            }
            match quest.step() {
                Step::Serve(out) => return Some(out),
                Step::GiveUp => return None,
                Step::Work(work) => break work,
                // It is the next step.
                Step::Gather => {}
                Step::Wait(waiter) => quest.wait(waiter).await,
            }
        };
        if work.is_shared()
            && let Some(out) = work.consult().await
        {
            return Some(out);
        }
        let ended = match work::in_time(work.drive(body()), slice::from_ref(&work)).await {
            Ok(ended) => ended,
            Err(mut formers) => return formers.pop().map(|former| work.drop_body(former)),
        };
        let placed = match ended {
            Ok(out) => work.finish(out, judge),
            Err(panic) => work.recover(panic),
        };
        Some(settle_async(placed).await)
    }

    /// How long the call may take.
    pub(crate) fn limit(&self) -> Limit {
        match &self.plan {
            Plan::Bypass(bypassed) => bypassed.limit(),
            Plan::Compute(quest) | Plan::Force(quest) => quest.limit(),
            Plan::Due(valued) => valued.1.limit(),
            // What nobody waits for takes as long as it takes.
            Plan::Put(valued) => Limit { deadline: None, ..valued.1.limit() },
        }
    }
}

/// Waits for the tiers that are to be waited for.
fn settle<K: OwnedKey, Kd: Kind>(placed: Placed<K, Kd>) -> Kd::Out {
    let finished = match placed {
        Placed::Landed(finished) => finished,
        Placed::OnItsWay(value) => sync::block_on(value.arrive()),
    };
    finished.arrival.map(sync::block_on);
    finished.out
}

/// The same.
///
/// # Cancellation
///
/// The value arrives all the same.
pub(crate) async fn settle_async<K: OwnedKey, Kd: Kind>(placed: Placed<K, Kd>) -> Kd::Out {
    let finished = match placed {
        Placed::Landed(finished) => finished,
        Placed::OnItsWay(value) => value.arrive().await,
    };
    if let Some(arrival) = finished.arrival {
        arrival.await;
    }
    finished.out
}

impl Bypass {
    fn count(self, runtime: &Runtime, site: &'static Site) {
        let counters = runtime.counters(site.place());
        let count = match self {
            Self::When => &counters.bypasses_when,
            Self::Context => &counters.bypasses_context,
            Self::Scope => &counters.bypasses_scope,
            Self::Asked => &counters.bypasses_asked,
            Self::Reentrant => &counters.bypasses_reentrant,
        };
        count.add(1);
    }
}
