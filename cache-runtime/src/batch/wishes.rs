//! What somebody wants of a batch other than an answer, where that is for each of its elements.

use crate::ask::Wish;
use crate::calling;
use crate::context;
use crate::site::Site;
use std::sync::Arc;

pub(super) struct Wishes {
    site: &'static Site,
    wish: Option<Wish>,
}

impl Wishes {
    /// Takes what is wanted of each. What is meant for one is left to that.
    pub(super) fn of(site: &'static Site) -> Self {
        let ask = if context::is_set() { context::take_ask_of_all(site.place()) } else { None };
        Self { site, wish: ask.map(|ask| ask.wish) }
    }

    /// Makes the call of one element.
    #[inline]
    pub(super) fn ask<R>(&self, call: impl FnOnce() -> R) -> R {
        let wish = match &self.wish {
            Some(Wish::Warm(ran)) => Wish::Warm(Arc::clone(ran)),
            Some(Wish::LeadAll(charges)) => Wish::LeadAll(Arc::clone(charges)),
            _ => return call(),
        };
        calling::ask(self.site, None, wish, call)
    }
}
