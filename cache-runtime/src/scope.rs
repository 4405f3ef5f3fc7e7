//! Sessions and requests: entries that end with the one they were made for.
//!
//! A scope owns what is cached in it, so nothing has to be looked for when it ends.

use crate::context::{self, Changed, Surroundings};
use crate::shelf::Shelf;
use crate::sync::Mutex;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, LazyLock, Weak};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sort {
    Session,
    Request,
}

type Names = Mutex<HashMap<(Sort, String), Weak<Scope>>>;

static ACTIVE: LazyLock<Names> = LazyLock::new(Names::default);

/// A session or a request that someone is in.
pub(crate) struct Scope {
    sort: Sort,
    id: String,
    pub(crate) shelf: Shelf,
}

impl Scope {
    /// The scope of that name, made if nobody is in it.
    fn named(sort: Sort, id: String) -> Arc<Self> {
        let mut active = ACTIVE.lock();
        if let Some(scope) = active.get(&(sort, id.clone())).and_then(Weak::upgrade) {
            return scope;
        }
        let scope = Arc::new(Self { sort, id: id.clone(), shelf: Shelf::default() });
        active.insert((sort, id), Arc::downgrade(&scope));
        scope
    }

    fn surround(self: &Arc<Self>, surroundings: &mut Surroundings) {
        let place = match self.sort {
            Sort::Session => &mut surroundings.session,
            Sort::Request => &mut surroundings.request,
        };
        *place = Some(Arc::clone(self));
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        for memory in self.shelf.memories() {
            memory.counters().evictions_scope.add(memory.usage().entries);
        }
        let name = (self.sort, std::mem::take(&mut self.id));
        let mut active = ACTIVE.lock();
        // Another scope of that name may have begun since the last one left this one.
        if active.get(&name).is_some_and(|it| it.strong_count() == 0) {
            active.remove(&name);
        }
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $module:ident, $sort:ident, $what:literal;)*) => { $(
        $(#[$doc])*
        pub mod $module {
            use super::{Changed, Future, Scope, Sort, Surroundings, context};

            #[doc = concat!("Runs `f` inside the ", $what, " `id`.")]
            ///
            #[doc = concat!("Functions with `#[cached(scope = \"", $what, "\")]` share their entries")]
            /// with everyone who is in it at the same time, on whatever thread; they are gone when
            /// the last one has left.
            pub fn with<R>(id: impl Into<String>, f: impl FnOnce() -> R) -> R {
                let scope = Scope::named(Sort::$sort, id.into());
                context::with(|surroundings| scope.surround(surroundings), f)
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
                    scope.surround(surroundings);
                })
            }
        }
    )* };
}

scopes! {
    /// Sessions: entries shared by everyone in the session of that name.
    session, Session, "session";
    /// Requests: entries shared by everyone in the request of that name.
    request, Request, "request";
}
