//! What somebody wants of a batch other than an answer: of each of its elements.

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
    /// Takes what is wanted of the next call of a function.
    pub(super) fn of(site: &'static Site) -> Self {
        let ask = if context::is_set() { context::take_any_ask(site.place()) } else { None };
        Self { site, wish: ask.map(|ask| ask.wish) }
    }

    /// Makes the call of one element.
    pub(super) fn ask<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let wish = match &self.wish {
            None => return call(),
            Some(Wish::Warm(ran)) => Some(Wish::Warm(Arc::clone(ran))),
            Some(Wish::LeadAll(charges)) => Some(Wish::LeadAll(Arc::clone(charges))),
            // What is meant for one value is for the first.
            Some(_) => self.wish.take(),
        };
        match wish {
            Some(wish) => calling::ask(self.site, None, wish, call),
            None => call(),
        }
    }
}
