//! A call made once more by nobody: what it takes to compute a value after the call that wanted it has
//! gone its way.

use crate::key::{Never, No, Yes};
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A future that a program's executor is to run to its end.
pub type Background = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A call with arguments of its own, in either colour.
pub struct Errand(pub(crate) Task);

pub(crate) enum Task {
    Future(Background),
    Job(Box<dyn FnOnce() + Send>),
}

impl Errand {
    /// Of an async function.
    pub fn future<F: Future + Send + 'static>(call: F) -> Self {
        Self(Task::Future(Box::pin(async move { drop(call.await) })))
    }

    /// Of a function that is not async.
    pub fn job<Out>(call: impl FnOnce() -> Out + Send + 'static) -> Self {
        Self(Task::Job(Box::new(move || drop(call()))))
    }
}

/// A call for many ids, once more with arguments of its own, for some of them.
pub struct Again<Id>(Box<dyn FnOnce(Vec<Id>) -> Errand + Send>);

impl<Id> Again<Id> {
    /// What makes it.
    pub fn new(call: impl FnOnce(Vec<Id>) -> Errand + Send + 'static) -> Self {
        Self(Box::new(call))
    }

    /// It, for these.
    pub(crate) fn of(self, ids: Vec<Id>) -> Errand {
        (self.0)(ids)
    }
}

/// An argument that can outlive its call, owned. `Answer` is as in [`KeyPart`](crate::key::KeyPart).
#[diagnostic::on_unimplemented(
    message = "an argument of type `&{Self}` can't outlive its call, as `refresh` and `timeout` need it",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "take it as `Arc<{Self}>`, or implement `Clone`"
)]
pub trait Outliving<Answer> {
    /// What it is as long as it outlives the call.
    type Own;

    #[doc(hidden)]
    fn own(&self) -> Self::Own;
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + ToOwned<Owned: Send + 'static>> Outliving<Yes> for T {
    type Own = Own<T>;

    fn own(&self) -> Own<T> {
        Own(self.to_owned())
    }
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Never> Outliving<No> for T {
    type Own = ();

    fn own(&self) {}
}

/// A borrowed argument while it outlives its call.
pub struct Own<T: ToOwned + ?Sized>(T::Owned);

/// What can be borrowed once more.
pub trait Lend {
    /// As what.
    type As: ?Sized;

    #[doc(hidden)]
    fn lend(&self) -> &Self::As;
}

impl<T: ToOwned + ?Sized> Lend for Own<T> {
    type As = T;

    fn lend(&self) -> &T {
        self.0.borrow()
    }
}

/// An argument taken by value that can outlive its call.
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` can't outlive its call, as `refresh` and `timeout` need it",
    label = "needs `Clone + Send + 'static`",
    note = "take it as an `Arc`, or implement `Clone`"
)]
pub trait Kept: Clone + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + 'static> Kept for T {}

/// A borrowed argument, owned.
pub fn owned<T: Outliving<Answer> + ?Sized, Answer>(borrowed: &T) -> T::Own {
    borrowed.own()
}

/// What it was borrowed as.
pub fn lent<L: Lend>(own: &L) -> &L::As {
    own.lend()
}

/// The same of an optional one.
pub fn owned_option<T: Outliving<Answer> + ?Sized, Answer>(borrowed: Option<&T>) -> Option<T::Own> {
    borrowed.map(T::own)
}

/// What it was borrowed as.
pub fn lent_option<L: Lend>(own: Option<&L>) -> Option<&L::As> {
    own.map(L::lend)
}

/// The same of one that may be owned already.
pub fn owned_cow<T: ToOwned + ?Sized>(cow: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(cow.into_owned())
}

/// An argument taken by value.
pub fn kept<T: Kept>(value: T) -> T {
    value
}

/// An argument that is wanted more than once. `Answer` is as in [`KeyPart`](crate::key::KeyPart).
#[diagnostic::on_unimplemented(
    message = "an argument of type `{Self}` is wanted more than once, for `batch` or `fallback`",
    label = "needs `Clone`",
    note = "take it by reference, or as an `Arc`"
)]
pub trait Spare<Answer>: Sized {
    #[doc(hidden)]
    fn spare(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Spare<Yes> for T {
    fn spare(&self) -> T {
        self.clone()
    }
}

#[diagnostic::do_not_recommend]
impl<T: Never> Spare<No> for T {
    fn spare(&self) -> T {
        unreachable!("there is no such type")
    }
}

/// An argument that is to be there after the body has taken its own.
pub fn spare<T: Spare<Answer>, Answer>(value: &T) -> T {
    value.spare()
}

/// What runs the futures that outlive their calls, if the program says so.
#[derive(Clone, Default)]
pub(crate) struct Executor(Option<Arc<dyn Fn(Background) + Send + Sync>>);

impl Executor {
    pub(crate) fn new(spawn: impl Fn(Background) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(spawn)))
    }

    /// Whether there is anything to run futures here and now.
    pub(crate) fn is_there(&self) -> bool {
        self.0.is_some() || is_here()
    }

    /// Has a future run. It is dropped where there is nothing to run it.
    pub(crate) fn spawn(&self, future: Background) {
        match &self.0 {
            Some(spawn) => spawn(future),
            None => spawn_here(future),
        }
    }
}

/// On the executor that the calling code runs in.
#[cfg(feature = "tokio")]
fn spawn_here(future: Background) {
    if let Ok(executor) = tokio::runtime::Handle::try_current() {
        drop(executor.spawn(future));
    }
}

#[cfg(feature = "tokio")]
fn is_here() -> bool {
    tokio::runtime::Handle::try_current().is_ok()
}

/// None is known.
#[cfg(not(feature = "tokio"))]
fn spawn_here(future: Background) {
    drop(future);
}

#[cfg(not(feature = "tokio"))]
fn is_here() -> bool {
    false
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Given" } else { "Found" })
    }
}
