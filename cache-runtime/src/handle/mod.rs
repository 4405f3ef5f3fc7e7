//! One key of one function, to do something about other than call it.

mod survey;

use self::survey::Surveyed;
use crate::ask::Wish;
use crate::call_context::CallContext;
use crate::calling;
#[cfg(feature = "beyond")]
use crate::codec::Format;
use crate::context::{self, Surroundings};
use crate::error::{Error, Level};
use crate::explanation::{Explanation, State};
use crate::frame::{Frame, Keyed};
use crate::function::{self, FunctionFor};
use crate::held;
use crate::key::OwnedKey;
use crate::lookup::Miss;
use crate::mark::Mark;
use crate::options::Options;
use crate::outcome::Kind;
use crate::runtime::Runtime;
use crate::site::Site;
#[cfg(feature = "beyond")]
use crate::stored::{Identity, KeptBy, StoredView};
use crate::stored::{Loaded, Outside};
use crate::view::View;
use std::any::{TypeId, type_name};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What the operations of a companion work on.
pub(crate) struct Handle<Out> {
    site: &'static Site,
    runtime: Runtime,
    key: Mark,
    /// The key's mark beyond this process, if it has one.
    beyond: Option<Mark>,
    call: CallContext,
    /// Whether a call goes past the cache, since its condition does not hold.
    pub(crate) is_past: bool,
    reach: Box<dyn Reach<Out>>,
}

/// A look at the tiers.
type Looking<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The way from a key to whatever holds its entries.
trait Reach<Out>: Send + Sync {
    fn peek(&self, runtime: &Runtime) -> Result<Out, Miss>;
    /// What memory does not have. It becomes what callers get where it is wanted: that may not move
    /// between threads, as this may.
    fn peek_outside<'a>(
        &'a self,
        runtime: &'a Runtime,
        why: Miss,
    ) -> Looking<'a, Option<Box<dyn FnOnce() -> Out + Send + 'a>>>;
    fn survey<'a>(&'a self, runtime: &'a Runtime, options: Options) -> Looking<'a, Surveyed>;
    fn remove(&self, runtime: &Runtime);
}

struct Typed<K, Kd: Kind> {
    site: &'static Site,
    family: TypeId,
    kind: Kd,
    hash: u64,
    key: K,
    /// Where the key's value is beyond memory, if it may be there.
    #[cfg_attr(not(feature = "beyond"), expect(dead_code, reason = "there is nothing outside"))]
    outside: Option<Outside<Kd::Kept>>,
}

impl<Out: 'static> Handle<Out> {
    pub(crate) fn new<F, W: View, Kd: Kind<Out = Out> + 'static>(
        site: &'static Site,
        _family: &F,
        kind: Kd,
        runtime: Option<&Runtime>,
        view: &W,
    ) -> Self {
        Self::of_family(site, std::marker::PhantomData::<F>, kind, runtime, view, None)
    }

    /// The same of a function whose values are kept beyond this process.
    #[cfg(feature = "beyond")]
    pub(crate) fn stored<F, W: StoredView, Kd: Kind<Out = Out> + 'static>(
        site: &'static Site,
        _family: &F,
        kind: Kd,
        runtime: Option<&Runtime>,
        view: &W,
        format: Format<Kd::Kept>,
    ) -> Self {
        let mut key = Vec::new();
        let kept = view.encode(&mut key).is_ok().then(|| Outside {
            identity: Identity::of(&site.options, type_name::<F>(), type_name::<F>()),
            key,
            format,
        });
        Self::of_family(site, std::marker::PhantomData::<F>, kind, runtime, view, kept)
    }

    fn of_family<F, W: View, Kd: Kind<Out = Out> + 'static>(
        site: &'static Site,
        _: std::marker::PhantomData<F>,
        kind: Kd,
        runtime: Option<&Runtime>,
        view: &W,
        outside: Option<Outside<Kd::Kept>>,
    ) -> Self {
        site.learn_beside(type_name::<F>());
        let family = typeid::of::<F>();
        let probe = function::probe(view);
        let beyond = outside.as_ref().map(Outside::mark);
        let (hash, key) = (probe.hash, view.own());
        Self {
            site,
            runtime: runtime.cloned().unwrap_or_else(context::runtime),
            key: function::key_mark(site, family, probe),
            beyond,
            call: CallContext::of(site, view),
            is_past: false,
            reach: Box::new(Typed { site, family, kind, hash, key, outside }),
        }
    }

    pub(crate) async fn invalidate(&self) -> Result<(), Error> {
        self.runtime.counters(self.site.place()).invalidations_key.add(1);
        let keys: Vec<_> = std::iter::once(self.key).chain(self.beyond).collect();
        let told = self.runtime.record_key(self.site, &keys, self.beyond.as_slice()).await;
        self.reach.remove(&self.runtime);
        told
    }

    pub(crate) async fn peek(&self) -> Option<Out> {
        let why = match self.reach.peek(&self.runtime) {
            Ok(out) => return Some(out),
            Err(why) => why,
        };
        let found = self.reach.peek_outside(&self.runtime, why).await?;
        Some(found())
    }

    pub(crate) async fn explain(&self) -> Explanation {
        let surroundings = context::current();
        let has = |of: fn(&Surroundings) -> bool| surroundings.as_deref().is_some_and(of);
        let keyed = self.site.options.keyed;
        let options = context::options();
        let condition = self.site.options.when.filter(|_| self.is_past);
        let Surveyed { state, tiers, cause, key } = if let Some(when) = condition {
            Surveyed::nothing(State::When(when))
        } else if keyed.covers(Keyed::CONTEXT) && !has(|it| it.ambient.is_some()) {
            Surveyed::nothing(State::NoContext)
        } else if (keyed.covers(Keyed::SESSION) && !has(|it| it.session.is_some()))
            || (keyed.covers(Keyed::REQUEST) && !has(|it| it.request.is_some()))
        {
            Surveyed::nothing(State::NoScope)
        } else if held::is_held() {
            Surveyed::nothing(State::Reentrant)
        } else {
            self.reach.survey(&self.runtime, options).await
        };
        let is_unread = options.unread().is_some() && state.is_looked_for();
        Explanation {
            call: self.call.clone(),
            key,
            state: if is_unread { State::Unread } else { state },
            tiers,
            cause,
            #[cfg(feature = "redis")]
            breaker: self
                .runtime
                .redis()
                .filter(|_| self.site.options.reaches(Level::L3))
                .map(|it| it.stats().breaker),
        }
    }

    pub(crate) fn site(&self) -> &'static Site {
        self.site
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Runs a call of this key with a wish.
    pub(crate) fn ask<R>(&self, wish: Wish, call: impl FnOnce() -> R) -> R {
        calling::ask(self.site, Some(self.key), wish, call)
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
        calling::ask_async(self.site, Some(self.key), wish, call).await
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

/// What is beyond memory.
#[cfg(feature = "beyond")]
impl<K, Kd: Kind> Typed<K, Kd> {
    /// Hears what other processes have invalidated. False if what is in memory may not be served for
    /// now.
    fn hear(&self, runtime: &Runtime) -> bool {
        let counters = runtime.counters(self.site.place());
        runtime.kept_by(self.site, &counters).as_ref().is_none_or(KeptBy::hear)
    }

    /// Looks for what memory does not have, for a reason.
    async fn find_outside(
        &self,
        runtime: &Runtime,
        why: Miss,
    ) -> Result<(Level, Loaded<Kd::Kept>), Miss> {
        // Asked for its tiers, a runtime makes them.
        let Some(outside) = &self.outside else { return Err(why) };
        let counters = runtime.counters(self.site.place());
        let kept = runtime.kept_by(self.site, &counters).ok_or(why)?;
        #[cfg(feature = "redis")]
        let is_shared = kept.fleet.is_some();
        let found = outside.find(self.site, kept).await;
        // From the disk, where it could not be asked beyond: not what this process heard anything of.
        #[cfg(feature = "redis")]
        let found = found.and_then(|(tier, loaded)| {
            let is_unasked = is_shared && tier == Level::L2;
            let may_serve = !is_unasked || runtime.inner.versions.never_heard_of(&loaded.about);
            may_serve.then_some((tier, loaded)).ok_or(Miss::Invalidated)
        });
        found.map_err(|it| if it == Miss::Absent { why } else { it })
    }
}

/// There is nothing beyond memory.
#[cfg(not(feature = "beyond"))]
impl<K, Kd: Kind> Typed<K, Kd> {
    #[expect(clippy::unused_self, reason = "the same where there is something beyond memory")]
    fn hear(&self, _: &Runtime) -> bool {
        true
    }

    #[expect(clippy::unused_async, reason = "the same where there is something beyond memory")]
    async fn find_outside(
        &self,
        _: &Runtime,
        why: Miss,
    ) -> Result<(Level, Loaded<Kd::Kept>), Miss> {
        Err(why)
    }
}

impl<K, Kd> Reach<Kd::Out> for Typed<K, Kd>
where
    K: OwnedKey,
    Kd: Kind,
{
    fn peek(&self, runtime: &Runtime) -> Result<Kd::Out, Miss> {
        let frame = context::frame();
        let may_serve = self.hear(runtime);
        let function = self.only(runtime).filter(|_| may_serve).ok_or(Miss::Absent)?;
        let found = function.memory.peek(self.hash, &self.key, &runtime.inner.time, |entry| {
            let suits = function.suits(&entry.about, frame.as_deref());
            suits.then(|| function.lend(self.kind, entry, frame.as_deref()))
        });
        found.and_then(|out| out.ok_or(Miss::Invalidated))
    }

    fn peek_outside<'a>(
        &'a self,
        runtime: &'a Runtime,
        why: Miss,
    ) -> Looking<'a, Option<Box<dyn FnOnce() -> Kd::Out + Send + 'a>>> {
        let frame = context::frame();
        Box::pin(async move {
            let (_, loaded) = self.find_outside(runtime, why).await.ok()?;
            let is_shared = frame.as_deref().is_some_and(Frame::is_shared);
            if is_shared && !runtime.may_share(&loaded.about) {
                return None;
            }
            if let Some(frame) = frame {
                let keyed = self.site.options.keyed;
                frame.inherit(runtime.inner.id, &Arc::new(loaded.about), loaded.expires, keyed);
            }
            let kind = self.kind;
            let release: Box<dyn FnOnce() -> Kd::Out + Send> =
                Box::new(move || kind.release(loaded.value));
            Some(release)
        })
    }

    fn survey<'a>(&'a self, runtime: &'a Runtime, options: Options) -> Looking<'a, Surveyed> {
        let near = self.survey_memory(runtime, options);
        Box::pin(self.survey_all(runtime, options, near))
    }

    fn remove(&self, runtime: &Runtime) {
        for function in self.functions(runtime) {
            function.memory.remove(self.hash, &self.key);
        }
    }
}
