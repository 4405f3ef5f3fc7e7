//! One key of one function, to do something about other than call it.

use crate::ask::{Ask, Wish};
use crate::call_context::CallContext;
use crate::clock::Moment;
use crate::context::{self, Surroundings};
use crate::error::Error;
use crate::explanation::{Explanation, State};
use crate::frame::Keyed;
use crate::function::{self, FunctionFor};
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::mark::Mark;
use crate::outcome::Kind;
use crate::runtime::Runtime;
use crate::site::Site;
use crate::view::View;
use std::any::{TypeId, type_name};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

/// What the operations of a companion work on.
pub(crate) struct Handle<Out> {
    site: &'static Site,
    runtime: Runtime,
    key: Mark,
    call: CallContext,
    reach: Box<dyn Reach<Out>>,
}

/// The way from a key to whatever holds its entries.
trait Reach<Out>: Send + Sync {
    fn peek(&self, runtime: &Runtime) -> Result<Out, Miss>;
    fn state(&self, runtime: &Runtime) -> State;
    fn remove(&self, runtime: &Runtime);
}

struct Typed<K, Kd> {
    site: &'static Site,
    family: TypeId,
    kind: Kd,
    hash: u64,
    key: K,
}

impl<Out: 'static> Handle<Out> {
    pub(crate) fn new<F, W: View, Kd: Kind<Out = Out> + 'static>(
        site: &'static Site,
        _family: &F,
        kind: Kd,
        runtime: Option<&Runtime>,
        view: &W,
    ) -> Self {
        site.learn_beside(type_name::<F>());
        let family = typeid::of::<F>();
        let probe = function::probe(view);
        Self {
            site,
            runtime: runtime.cloned().unwrap_or_else(context::runtime),
            key: function::key_mark(site, family, probe),
            call: CallContext::of(site, view),
            reach: Box::new(Typed { site, family, kind, hash: probe.hash, key: view.own() }),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a tier that can't be reached makes it pending")]
    pub(crate) fn invalidate(&self) -> Result<(), Error> {
        self.runtime.counters(self.site.place()).invalidations_key.add(1);
        self.runtime.record_key(self.site.place(), self.key);
        self.reach.remove(&self.runtime);
        Ok(())
    }

    pub(crate) fn peek(&self) -> Option<Out> {
        self.reach.peek(&self.runtime).ok()
    }

    pub(crate) fn explain(&self) -> Explanation {
        let surroundings = context::current();
        let has = |of: fn(&Surroundings) -> bool| surroundings.as_deref().is_some_and(of);
        let keyed = self.site.options.keyed;
        let state = if keyed.covers(Keyed::CONTEXT) && !has(|it| it.ambient.is_some()) {
            State::NoContext
        } else if (keyed.covers(Keyed::SESSION) && !has(|it| it.session.is_some()))
            || (keyed.covers(Keyed::REQUEST) && !has(|it| it.request.is_some()))
        {
            State::NoScope
        } else {
            self.reach.state(&self.runtime)
        };
        Explanation { call: self.call.clone(), state }
    }

    pub(crate) fn site(&self) -> &'static Site {
        self.site
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Runs a call of this key with a wish.
    pub(crate) fn ask<R>(&self, wish: Wish, call: impl FnOnce() -> R) -> R {
        ask(self.site, Some(self.key), wish, call)
    }

    /// Polls a call of this key for the first time with a wish.
    ///
    /// # Cancellation
    ///
    /// As safe to drop as the call itself.
    pub(crate) async fn ask_async<Fut: Future>(
        &self,
        wish: impl FnOnce() -> Wish,
        call: Fut,
    ) -> Fut::Output {
        ask_async(self.site, Some(self.key), wish, call).await
    }

    pub(crate) fn call_context(&self) -> CallContext {
        self.call.clone()
    }
}

impl<K, Kd> Typed<K, Kd>
where
    K: OwnedKey,
    Kd: Kind,
{
    /// The one place an entry of this key can be in. Instantiations that only the type of an
    /// `impl Trait` argument tells apart can't be told apart by their key: of two, neither is meant.
    fn only(&self, runtime: &Runtime) -> Option<Arc<FunctionFor<K, Kd>>> {
        let mut functions = self.functions(runtime).into_iter();
        functions.next().filter(|_| functions.next().is_none())
    }

    /// Every place that entries of this key can be in, as far as the calling code reaches.
    fn functions(&self, runtime: &Runtime) -> Vec<Arc<FunctionFor<K, Kd>>> {
        let keyed = self.site.options.keyed;
        let surroundings = context::current();
        let place = self.site.place();
        let kept = if keyed.covers(Keyed::REQUEST) {
            let request = surroundings.as_ref().and_then(|it| it.request.as_ref());
            request.map(|scope| scope.shelf.of_site(place)).unwrap_or_default()
        } else if keyed.covers(Keyed::SESSION) {
            let session = surroundings.as_ref().and_then(|it| it.session.as_ref());
            session.map(|scope| scope.shelf.of_site(place)).unwrap_or_default()
        } else {
            runtime.inner.shelf.of_site(place)
        };
        kept.into_iter()
            .filter_map(|it| it.into_any().downcast::<FunctionFor<K, Kd>>().ok())
            .filter(|it| it.family == self.family && it.home.id == runtime.inner.id)
            .collect()
    }
}

impl<K, Kd> Reach<Kd::Out> for Typed<K, Kd>
where
    K: OwnedKey,
    Kd: Kind + 'static,
{
    fn peek(&self, runtime: &Runtime) -> Result<Kd::Out, Miss> {
        let frame = context::frame();
        let function = self.only(runtime).ok_or(Miss::Absent)?;
        let time = &runtime.inner.time;
        function.memory.peek(self.hash, &self.key, time, |entry| {
            function.lend(self.kind, entry, frame.as_deref())
        })
    }

    fn state(&self, runtime: &Runtime) -> State {
        let time = &runtime.inner.time;
        let Some(function) = self.only(runtime) else { return State::Missing(Miss::Absent) };
        let found = function
            .memory
            .peek(self.hash, &self.key, time, |entry| (entry.about.born, entry.expires));
        match found {
            Ok((born, expires)) => {
                let now = time.now();
                let left = (expires != Moment::NEVER).then(|| expires.since(now));
                State::Fresh { age: now.since(born), left }
            }
            Err(reason) => State::Missing(reason),
        }
    }

    fn remove(&self, runtime: &Runtime) {
        for function in self.functions(runtime) {
            function.memory.remove(self.hash, &self.key);
        }
    }
}

/// Runs a call with a wish.
pub(crate) fn ask<R>(
    site: &'static Site,
    key: Option<Mark>,
    wish: Wish,
    call: impl FnOnce() -> R,
) -> R {
    context::asking(Ask { site: site.place(), key, wish }, call)
}

/// Polls a call for the first time with a wish: that is when it looks its entry up.
///
/// # Cancellation
///
/// As safe to drop as the call itself.
pub(crate) async fn ask_async<Fut: Future>(
    site: &'static Site,
    key: Option<Mark>,
    wish: impl FnOnce() -> Wish,
    call: Fut,
) -> Fut::Output {
    let mut call = pin!(call);
    let mut wish = Some(wish);
    poll_fn(|task| match wish.take() {
        Some(wish) => ask(site, key, wish(), || call.as_mut().poll(task)),
        None => call.as_mut().poll(task),
    })
    .await
}
