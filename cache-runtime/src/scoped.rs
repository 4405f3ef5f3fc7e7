//! Beginning sessions and requests, and being inside of them.

use crate::context::{self, Changed, Surroundings};
use crate::scope::{Scope, Sort};
use std::future::Future;
use std::sync::Arc;

fn surround(scope: &Arc<Scope>, surroundings: &mut Surroundings) {
    let place = match scope.sort {
        Sort::Session => &mut surroundings.session,
        Sort::Request => &mut surroundings.request,
    };
    *place = Some(Arc::clone(scope));
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $module:ident, $sort:ident, $what:literal;)*) => { $(
        $(#[$doc])*
        pub mod $module {
            use super::{Changed, Future, Scope, Sort, Surroundings, context, surround};

            #[doc = concat!("Runs `f` inside the ", $what, " `id`.")]
            ///
            #[doc = concat!("Functions with `#[cached(scope = \"", $what, "\")]` share their entries")]
            /// with everyone who is in it at the same time, on whatever thread; they are gone when
            /// the last one has left.
            pub fn with<R>(id: impl Into<String>, f: impl FnOnce() -> R) -> R {
                let scope = Scope::named(Sort::$sort, id.into());
                context::with(|surroundings| surround(&scope, surroundings), f)
            }

            #[doc = concat!("Returns a future that runs `future` inside the ", $what, " `id`.")]
            ///
            /// # Cancellation
            ///
            #[doc = concat!("As safe to drop as `future` itself; dropping it leaves the ", $what, ".")]
            pub fn scope<I: Into<String>, F: Future>(
                id: I,
                future: F,
            ) -> impl Future<Output = F::Output> + use<I, F> {
                let scope = Scope::named(Sort::$sort, id.into());
                Changed::new(future, move |surroundings: &mut Surroundings| {
                    surround(&scope, surroundings);
                })
            }
        }
    )* };
}

scopes! {
    /// Sessions: entries shared by everyone in the session of that name.
    ///
    /// ```
    /// #[larder::cached(scope = "session")]
    /// fn greeting(user: u64) -> String {
    ///     format!("hello, user {user}")
    /// }
    ///
    /// larder::session::with("browser of user 7", || {
    ///     greeting(7); // computes
    ///     greeting(7); // a hit
    ///     assert_eq!(greeting::stats().hits, 1);
    /// });
    /// assert_eq!(greeting::stats().entries, 0); // they ended with the session
    /// ```
    session, Session, "session";
    /// Requests: entries shared by everyone in the request of that name.
    ///
    /// ```
    /// #[larder::cached(scope = "request")]
    /// async fn user_of(token: &str) -> u64 {
    ///     token.len() as u64
    /// }
    ///
    /// # futures_lite::future::block_on(async {
    /// let handled = larder::request::scope("request 4711", async {
    ///     user_of("a token").await; // computes
    ///     user_of("a token").await // a hit
    /// });
    /// assert_eq!(handled.await, 7);
    /// assert_eq!(user_of::stats().hits, 1);
    /// assert_eq!(user_of::stats().entries, 0); // they ended with the request
    /// # });
    /// ```
    request, Request, "request";
}
