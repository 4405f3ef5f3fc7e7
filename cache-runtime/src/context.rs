//! What surrounds a call: its runtime, the computation it is part of, ambient context and scopes.
//!
//! 1. The surroundings belong to a thread while a closure runs or a future is polled, and are put
//!    back as they were afterwards, by return, panic or `Pending` alike.
//! 2. `is_set` is true whenever there is anything a hit would have to know of.

use crate::ambience::Ambient;
use crate::ask::Ask;
use crate::frame::Frame;
use crate::held;
use crate::mark::Mark;
use crate::options::Options;
use crate::runtime::Runtime;
use crate::scope::Scope;
use crate::sync;
use pin_project_lite::pin_project;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

/// The surroundings of a call.
#[derive(Clone, Default)]
pub(crate) struct Surroundings {
    pub(crate) runtime: Option<Runtime>,
    pub(crate) frame: Option<Arc<Frame>>,
    pub(crate) ambient: Option<Ambient>,
    pub(crate) session: Option<Arc<Scope>>,
    pub(crate) request: Option<Arc<Scope>>,
    /// What is said of the calls made here. It is not for what they call in turn.
    pub(crate) options: Options,
}

type Shared = Option<Arc<Surroundings>>;

sync::thread_local! {
    static IS_SET: Cell<bool> = const { Cell::new(false) };
    static CURRENT: RefCell<Shared> = const { RefCell::new(None) };
    static ASKED: RefCell<Option<Ask>> = const { RefCell::new(None) };
}

/// Whether a call has any surroundings.
#[inline]
pub(crate) fn is_set() -> bool {
    IS_SET.with(Cell::get) || held::is_held()
}

pub(crate) fn current() -> Shared {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Whether a call can have surroundings: not when its thread is ending.
pub(crate) fn can_be_set() -> bool {
    CURRENT.try_with(|_| ()).is_ok() && ASKED.try_with(|_| ()).is_ok()
}

/// The computation that the calling code is part of.
pub(crate) fn frame() -> Option<Arc<Frame>> {
    current().and_then(|surroundings| surroundings.frame.clone())
}

/// What is said of the calls that the calling code makes.
pub(crate) fn options() -> Options {
    current().map(|surroundings| surroundings.options).unwrap_or_default()
}

/// The runtime that the calling code uses.
pub(crate) fn runtime() -> Runtime {
    current()
        .and_then(|surroundings| surroundings.runtime.clone())
        .unwrap_or_else(|| Runtime::global().clone())
}

/// Puts the surroundings back when dropped.
struct Entered(Shared);

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.0.take());
    }
}

fn enter(surroundings: Shared) -> Entered {
    Entered(replace(surroundings))
}

fn replace(surroundings: Shared) -> Shared {
    let set = surroundings.is_some();
    let previous = CURRENT.try_with(|current| current.replace(surroundings)).ok().flatten();
    let asked = ASKED.try_with(|asked| asked.borrow().is_some()).unwrap_or(false);
    IS_SET.with(|is_set| is_set.set(set || asked));
    previous
}

/// Runs `f` inside surroundings.
pub(crate) fn inside<R>(surroundings: Arc<Surroundings>, f: impl FnOnce() -> R) -> R {
    let _entered = enter(Some(surroundings));
    f()
}

/// Runs `f` with something about the surroundings changed.
pub(crate) fn with<R>(change: impl FnOnce(&mut Surroundings), f: impl FnOnce() -> R) -> R {
    let mut surroundings = current().as_deref().cloned().unwrap_or_default();
    change(&mut surroundings);
    inside(Arc::new(surroundings), f)
}

/// Runs `f` with nothing said of its calls.
pub(crate) fn optionless<R>(f: impl FnOnce() -> R) -> R {
    if current().is_none_or(|surroundings| surroundings.options == Options::new()) {
        return f();
    }
    with(|surroundings| surroundings.options = Options::new(), f)
}

/// The same for a future. Boxed only if there is anything to take back.
///
/// # Cancellation
///
/// As safe to drop as `future` itself.
pub(crate) async fn optionless_async<F: Future>(future: F) -> F::Output {
    if current().is_none_or(|surroundings| surroundings.options == Options::new()) {
        return future.await;
    }
    let change = |surroundings: &mut Surroundings| surroundings.options = Options::new();
    Box::pin(Changed::new(future, change)).await
}

pin_project! {
    /// A future with something about its surroundings changed.
    pub(crate) struct Changed<F, C> {
        #[pin]
        future: F,
        change: C,
        // What the change was applied to last, and what came of it.
        applied: Option<(Shared, Arc<Surroundings>)>,
    }
}

impl<F, C: Fn(&mut Surroundings)> Changed<F, C> {
    pub(crate) fn new(future: F, change: C) -> Self {
        Self { future, change, applied: None }
    }
}

impl<F: Future, C: Fn(&mut Surroundings)> Future for Changed<F, C> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let this = self.project();
        let base = current();
        let surroundings = match this.applied {
            Some((known, surroundings)) if same(known.as_ref(), base.as_ref()) => {
                Arc::clone(surroundings)
            }
            _ => {
                let mut surroundings = base.as_deref().cloned().unwrap_or_default();
                (this.change)(&mut surroundings);
                let surroundings = Arc::new(surroundings);
                *this.applied = Some((base, Arc::clone(&surroundings)));
                surroundings
            }
        };
        inside(surroundings, || this.future.poll(task))
    }
}

fn same(one: Option<&Arc<Surroundings>>, other: Option<&Arc<Surroundings>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

pin_project! {
    /// A future polled inside the same surroundings every time.
    #[must_use = "futures do nothing unless awaited or spawned"]
    pub(crate) struct Inside<F> {
        #[pin]
        future: F,
        surroundings: Shared,
    }
}

impl<F> Inside<F> {
    pub(crate) fn new(future: F, surroundings: Shared) -> Self {
        Self { future, surroundings }
    }
}

impl<F: Future> Future for Inside<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = enter(this.surroundings.clone());
        this.future.poll(task)
    }
}

/// Puts a question to the next cached call of this thread that it is meant for, for as long as
/// `f` runs.
pub(crate) fn asking<R>(ask: Ask, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Ask>);
    impl Drop for Restore {
        fn drop(&mut self) {
            set_ask(self.0.take());
        }
    }
    let _restore = Restore(set_ask(Some(ask)));
    f()
}

/// Takes the question that is meant for a key of a site, if there is one.
pub(crate) fn take_ask(site: usize, key: impl FnOnce() -> Option<Mark>) -> Option<Ask> {
    let asked = ASKED.try_with(|asked| asked.borrow().as_ref().map(|ask| (ask.site, ask.key)));
    match asked.ok().flatten() {
        Some((of, None)) if of == site => set_ask(None),
        Some((of, meant)) if of == site && meant == key() => set_ask(None),
        _ => None,
    }
}

/// Takes the question that is meant for each of the calls that a call of a site is made of.
pub(crate) fn take_ask_of_all(site: usize) -> Option<Ask> {
    let is_it = |ask: &Ask| ask.site == site && ask.wish.is_of_all();
    let asked = ASKED.try_with(|asked| asked.borrow().as_ref().is_some_and(is_it));
    if asked.unwrap_or(false) { set_ask(None) } else { None }
}

/// Takes the question that is meant for any key of a site, if there is one.
pub(crate) fn take_any_ask(site: usize) -> Option<Ask> {
    let asked = ASKED.try_with(|asked| asked.borrow().as_ref().map(|ask| ask.site));
    if asked.ok().flatten() == Some(site) { set_ask(None) } else { None }
}

fn set_ask(ask: Option<Ask>) -> Option<Ask> {
    let set = ask.is_some();
    let previous = ASKED.try_with(|asked| asked.replace(ask)).ok().flatten();
    let surrounded = CURRENT.try_with(|current| current.borrow().is_some()).unwrap_or(false);
    IS_SET.with(|is_set| is_set.set(set || surrounded));
    previous
}

impl Runtime {
    /// Runs `f` with this runtime in place of the global one, on this thread.
    ///
    /// ```
    /// # use cache_runtime as larder;
    /// let runtime = larder::Runtime::builder().build()?;
    /// runtime.with(|| { /* cached functions called here use `runtime` */ });
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        with(|surroundings| surroundings.runtime = Some(self.clone()), f)
    }

    /// Returns a future that runs `future` with this runtime in place of the global one.
    ///
    /// # Cancellation
    ///
    /// As safe to drop as `future` itself.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let runtime = self.clone();
        Changed::new(future, move |surroundings: &mut Surroundings| {
            surroundings.runtime = Some(runtime.clone());
        })
    }
}

/// Brings the surroundings of the calling code along into `future`, which is about to be spawned:
/// dependencies, ambient context, scopes and runtime.
///
/// What the spawned future is found to depend on counts for the computation it was spawned in as
/// long as that runs.
///
/// ```
/// use futures_lite::future::block_on;
/// use std::thread;
///
/// #[larder::cached]
/// fn rate(country: &str) -> u64 {
///     if country == "de" { 19 } else { 20 }
/// }
///
/// #[larder::cached]
/// fn price(net: u64) -> u64 {
///     let rate = larder::inherit(async { rate("de") });
///     let rate = thread::spawn(|| block_on(rate)).join().expect("a rate");
///     net + net * rate / 100
/// }
///
/// assert_eq!(price(100), 119);
/// rate::invalidate("de")?;
/// assert_eq!(price::peek(100), None); // it was found to depend on the rate
/// # Ok::<(), larder::Error>(())
/// ```
///
/// # Cancellation
///
/// As safe to drop as `future` itself.
pub fn inherit<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Inside::new(future, current())
}
