//! What stands for the files that values depend on in a program where none do.

use std::sync::Arc;

#[derive(Debug)]
pub(crate) enum Files {}

impl Files {
    pub(crate) fn hold_at_a_glance(&self) -> bool {
        match *self {}
    }

    pub(crate) fn still_hold(&self) -> bool {
        match *self {}
    }

    pub(crate) fn is_unbounded(&self) -> bool {
        match *self {}
    }

    /// These, and what callees depend on; nothing if that is none at all.
    pub(crate) fn together(
        own: Option<Self>,
        callees: impl IntoIterator<Item = Arc<Self>>,
    ) -> Option<Arc<Self>> {
        own.map(Arc::new).or_else(|| callees.into_iter().next())
    }
}
