//! Whether this thread holds a lock of ours.
//!
//! Comparisons and clones of the user's run under such locks. A cached call from within one does
//! without the cache: it could wait for the lock that its own caller holds.

use crate::sync;
use std::cell::Cell;

sync::thread_local! {
    static IS_HELD: Cell<bool> = const { Cell::new(false) };
}

/// Says until it is dropped that a lock is held.
pub(crate) struct Held {
    before: bool,
}

/// To be called before a lock is taken under which code of the user's runs.
#[inline]
pub(crate) fn hold() -> Held {
    Held { before: IS_HELD.with(|is_held| is_held.replace(true)) }
}

#[inline]
pub(crate) fn is_held() -> bool {
    IS_HELD.with(Cell::get)
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        IS_HELD.with(|is_held| is_held.set(self.before));
    }
}
