//! Sessions and requests: entries that end with the one they were made for.
//!
//! A scope owns what is cached in it, so nothing has to be looked for when it ends.

use crate::shelf::Shelf;
use crate::sync::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sort {
    Session,
    Request,
}

type Names = Mutex<HashMap<(Sort, String), Weak<Scope>>>;

static ACTIVE: LazyLock<Names> = LazyLock::new(Names::default);

/// A session or a request that someone is in.
pub(crate) struct Scope {
    pub(crate) sort: Sort,
    id: String,
    pub(crate) shelf: Shelf,
}

impl Scope {
    /// The scope of that name, made if nobody is in it.
    pub(crate) fn named(sort: Sort, id: String) -> Arc<Self> {
        let mut active = ACTIVE.lock();
        if let Some(scope) = active.get(&(sort, id.clone())).and_then(Weak::upgrade) {
            return scope;
        }
        let scope = Arc::new(Self { sort, id: id.clone(), shelf: Shelf::default() });
        active.insert((sort, id), Arc::downgrade(&scope));
        scope
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
