//! The operations of a companion, for async functions and for plain ones.

use crate::ask::Wish;
use crate::call_context::CallContext;
use crate::calling;
use crate::context;
use crate::error::Error;
use crate::explanation::Explanation;
use crate::handle::Handle;
use crate::runtime::Runtime;
use crate::site::Site;
use crate::stats::FunctionStats;
use crate::sync;
use crate::target::Target;
use std::future::Future;

/// One key of one cached `async` function.
///
/// What a method with `#[cached(handle = name)]` gets beside it: `self.name(key arguments)`.
/// [`blocking::Entry`] is the same for functions that are not async.
///
/// [`refresh`](Self::refresh), [`put`](Self::put) and [`uncached`](Self::uncached) take the call
/// they are about, since an entry holds the key alone. There is no `warm`: call the method.
///
/// ```
/// struct Prices {
///     market: String,
/// }
///
/// impl Prices {
///     #[larder::cached(key(self.market, article), handle = price_entry)]
///     async fn price(&self, article: u64) -> u64 {
///         article * 100
///     }
/// }
///
/// # futures_lite::future::block_on(async {
/// let prices = Prices { market: "eu".into() };
/// let entry: larder::Entry<u64> = prices.price_entry(3);
/// assert_eq!(prices.price(3).await, 300);
/// assert_eq!(entry.peek().await, Some(300));
/// entry.put(250, prices.price(3)).await;
/// assert_eq!(prices.price(3).await, 250);
/// entry.invalidate().await?;
/// assert_eq!(entry.peek().await, None);
/// # Ok::<(), larder::Error>(())
/// # }).unwrap();
/// ```
pub struct Entry<Out> {
    handle: Handle<Out>,
}

impl<Out: 'static> Entry<Out> {
    pub(crate) fn new(handle: Handle<Out>) -> Self {
        Self { handle }
    }

    /// The same, of a call that goes past the cache unless its condition holds.
    #[doc(hidden)]
    #[must_use]
    pub fn __larder_when(mut self, holds: bool) -> Self {
        self.handle.is_past = !holds;
        self
    }

    /// Forgets this call, in every tier.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    ///
    /// # Cancellation
    ///
    /// Takes effect when first polled, and then as a whole.
    pub async fn invalidate(&self) -> Result<(), Error> {
        self.handle.invalidate().await
    }

    /// Forgets all that the function has cached, whatever the key, in all its instantiations.
    ///
    /// # Errors
    ///
    /// None while all tiers are in this process.
    ///
    /// # Cancellation
    ///
    /// Takes effect when first polled, and then as a whole.
    pub async fn invalidate_all(&self) -> Result<(), Error> {
        invalidate_all_async(self.handle.site(), Some(self.handle.runtime())).await
    }

    /// Returns what is cached for this call. Never computes.
    ///
    /// # Cancellation
    ///
    /// Safe to drop at any time.
    pub async fn peek(&self) -> Option<Out> {
        self.handle.peek().await
    }

    /// Returns what a call would do now, and why. Never computes.
    ///
    /// A method's `when` is not asked: an entry has the key alone.
    ///
    /// # Cancellation
    ///
    /// Safe to drop at any time.
    pub async fn explain(&self) -> Explanation {
        self.handle.explain().await
    }

    /// Runs `call`, a call of the function for this key, past what is cached, and stores what it
    /// returns.
    ///
    /// # Cancellation
    ///
    /// As safe to drop as the call itself; nothing is stored then.
    pub async fn refresh<Fut: Future<Output = Out>>(&self, call: Fut) -> Out {
        self.handle.ask_async(|| Wish::Refresh, call).await
    }

    /// Stores `value` as if `call`, a call of the function for this key, had computed it now. The
    /// body does not run.
    ///
    /// # Cancellation
    ///
    /// Takes effect when first polled, and then as a whole.
    pub async fn put<Fut: Future<Output = Out>>(&self, value: Out, call: Fut) {
        self.handle.ask_async(|| Wish::Put(Box::new(value)), call).await;
    }

    /// Runs `call`, a call of the function for this key, without the cache.
    ///
    /// # Cancellation
    ///
    /// As safe to drop as the call itself.
    pub async fn uncached<Fut: Future<Output = Out>>(&self, call: Fut) -> Out {
        self.handle.ask_async(|| Wish::Uncached, call).await
    }

    /// Returns what identifies this call, for logs and metrics.
    pub fn call_context(&self) -> CallContext {
        self.handle.call_context()
    }

    /// Returns the function's counters, of all its calls in the entry's runtime.
    pub fn stats(&self) -> FunctionStats {
        stats(self.handle.site(), Some(self.handle.runtime()))
    }
}

/// The same for functions that are not async.
pub(crate) mod blocking {
    use super::{
        CallContext, Error, Explanation, FunctionStats, Handle, Wish, invalidate_all, stats,
    };
    use crate::sync;

    /// One key of one cached function that is not async.
    ///
    /// What a method with `#[cached(handle = name)]` gets beside it: `self.name(key arguments)`.
    ///
    /// [`refresh`](Self::refresh), [`put`](Self::put) and [`uncached`](Self::uncached) take the
    /// call they are about, since an entry holds the key alone. There is no `warm`: call the method.
    ///
    /// ```
    /// struct Prices {
    ///     market: String,
    /// }
    ///
    /// impl Prices {
    ///     #[larder::cached(key(self.market, article), handle = price_entry)]
    ///     fn price(&self, article: u64) -> u64 {
    ///         article * 100
    ///     }
    /// }
    ///
    /// let prices = Prices { market: "eu".into() };
    /// let entry: larder::blocking::Entry<u64> = prices.price_entry(3);
    /// assert_eq!(prices.price(3), 300);
    /// assert_eq!(entry.peek(), Some(300));
    /// entry.put(250, || prices.price(3));
    /// assert_eq!(prices.price(3), 250);
    /// entry.invalidate()?;
    /// assert_eq!(entry.peek(), None);
    /// # Ok::<(), larder::Error>(())
    /// ```
    pub struct Entry<Out> {
        handle: Handle<Out>,
    }

    impl<Out: 'static> Entry<Out> {
        pub(crate) fn new(handle: Handle<Out>) -> Self {
            Self { handle }
        }

        /// The same, of a call that goes past the cache unless its condition holds.
        #[doc(hidden)]
        #[must_use]
        pub fn __larder_when(mut self, holds: bool) -> Self {
            self.handle.is_past = !holds;
            self
        }

        /// Forgets this call, in every tier.
        ///
        /// # Errors
        ///
        /// None while all tiers are in this process.
        pub fn invalidate(&self) -> Result<(), Error> {
            sync::block_on(self.handle.invalidate())
        }

        /// Forgets all that the function has cached, whatever the key, in all its instantiations.
        ///
        /// # Errors
        ///
        /// None while all tiers are in this process.
        pub fn invalidate_all(&self) -> Result<(), Error> {
            invalidate_all(self.handle.site(), Some(self.handle.runtime()))
        }

        /// Returns what is cached for this call. Never computes.
        pub fn peek(&self) -> Option<Out> {
            sync::block_on(self.handle.peek())
        }

        /// Returns what a call would do now, and why. Never computes.
        ///
        /// A method's `when` is not asked: an entry has the key alone.
        pub fn explain(&self) -> Explanation {
            sync::block_on(self.handle.explain())
        }

        /// Runs `call`, a call of the function for this key, past what is cached, and stores what
        /// it returns.
        pub fn refresh(&self, call: impl FnOnce() -> Out) -> Out {
            self.handle.ask(Wish::Refresh, call)
        }

        /// Stores `value` as if `call`, a call of the function for this key, had computed it now.
        /// The body does not run.
        pub fn put(&self, value: Out, call: impl FnOnce() -> Out) {
            self.handle.ask(Wish::Put(Box::new(value)), call);
        }

        /// Runs `call`, a call of the function for this key, without the cache.
        pub fn uncached(&self, call: impl FnOnce() -> Out) -> Out {
            self.handle.ask(Wish::Uncached, call)
        }

        /// Returns what identifies this call, for logs and metrics.
        pub fn call_context(&self) -> CallContext {
            self.handle.call_context()
        }

        /// Returns the function's counters, of all its calls in the entry's runtime.
        pub fn stats(&self) -> FunctionStats {
            stats(self.handle.site(), Some(self.handle.runtime()))
        }
    }
}

/// Stores a value in place of what a call would compute.
pub fn put<Out: 'static>(site: &'static Site, value: Out, call: impl FnOnce() -> Out) {
    calling::ask(site, None, Wish::Put(Box::new(value)), call);
}

/// Stores a value in place of what a call would compute.
///
/// # Cancellation
///
/// Takes effect when first polled, and then as a whole.
pub async fn put_async<Out: 'static>(
    site: &'static Site,
    value: Out,
    call: impl Future<Output = Out>,
) {
    calling::ask_async(site, None, || Wish::Put(Box::new(value)), call).await;
}

/// Runs a call past what is cached, and stores what it returns.
pub fn refresh<Out>(site: &'static Site, call: impl FnOnce() -> Out) -> Out {
    calling::ask(site, None, Wish::Refresh, call)
}

/// Runs a call past what is cached, and stores what it returns.
///
/// # Cancellation
///
/// As safe to drop as the call itself.
pub async fn refresh_async<Fut: Future>(site: &'static Site, call: Fut) -> Fut::Output {
    calling::ask_async(site, None, || Wish::Refresh, call).await
}

/// Runs a call without the cache.
pub fn uncached<Out>(site: &'static Site, call: impl FnOnce() -> Out) -> Out {
    calling::ask(site, None, Wish::Uncached, call)
}

/// Runs a call without the cache.
///
/// # Cancellation
///
/// As safe to drop as the call itself.
pub async fn uncached_async<Fut: Future>(site: &'static Site, call: Fut) -> Fut::Output {
    calling::ask_async(site, None, || Wish::Uncached, call).await
}

/// Forgets all that a function has cached, in all its instantiations.
///
/// # Errors
///
/// `ErrorKind::Pending` if a tier beyond this process can't be reached.
pub fn invalidate_all(site: &'static Site, runtime: Option<&Runtime>) -> Result<(), Error> {
    sync::block_on(invalidate_all_async(site, runtime))
}

/// Forgets all that a function has cached, in all its instantiations.
///
/// # Errors
///
/// `ErrorKind::Pending` if a tier beyond this process can't be reached.
///
/// # Cancellation
///
/// Takes effect when first polled, and then as a whole.
pub async fn invalidate_all_async(
    site: &'static Site,
    runtime: Option<&Runtime>,
) -> Result<(), Error> {
    let runtime = runtime.cloned().unwrap_or_else(context::runtime);
    runtime.counters(site.place()).invalidations_function.add(1);
    let marks = Target::Any(runtime.marks_of_site(site));
    runtime.record(&marks, &marks).await
}

/// The counters of one function.
pub fn stats(site: &'static Site, runtime: Option<&Runtime>) -> FunctionStats {
    let runtime = runtime.cloned().unwrap_or_else(context::runtime);
    FunctionStats::of(&runtime, site)
}
