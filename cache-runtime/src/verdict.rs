//! What `cache_if`, `ttl_for`, `tags_for` and `weigh` say of a computed value.

use crate::entry::Marks;
use crate::mark::Mark;
use std::time::Duration;

/// The answers for one value. Made anew for each by the expansion.
#[derive(Debug)]
pub struct Verdict {
    pub(crate) keep: bool,
    pub(crate) ttl: Option<Duration>,
    pub(crate) tags: Marks,
    pub(crate) weight: u64,
}

/// What a `ttl_for` function may return.
#[diagnostic::on_unimplemented(
    message = "`ttl_for` needs a function that returns `Duration` or `Option<Duration>`",
    label = "not a time to live"
)]
pub trait IntoTtl {
    /// The time to live, or nothing for the function's own.
    fn into_ttl(self) -> Option<Duration>;
}

#[diagnostic::do_not_recommend]
impl IntoTtl for Duration {
    fn into_ttl(self) -> Option<Duration> {
        Some(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoTtl for Option<Duration> {
    fn into_ttl(self) -> Option<Duration> {
        self
    }
}

/// What a `weigh` function may return.
#[diagnostic::on_unimplemented(
    message = "`weigh` needs a function that returns `usize`, `u64` or `u32`",
    label = "not a weight"
)]
pub trait IntoWeight {
    /// The weight.
    fn into_weight(self) -> u64;
}

#[diagnostic::do_not_recommend]
impl IntoWeight for u64 {
    fn into_weight(self) -> u64 {
        self
    }
}

#[diagnostic::do_not_recommend]
impl IntoWeight for u32 {
    fn into_weight(self) -> u64 {
        u64::from(self)
    }
}

#[diagnostic::do_not_recommend]
impl IntoWeight for usize {
    fn into_weight(self) -> u64 {
        u64::try_from(self).unwrap_or(u64::MAX)
    }
}

/// What a `tags_for` function may return.
#[diagnostic::on_unimplemented(
    message = "`tags_for` needs a function that returns tags, such as `Vec<String>` or `[&str; 2]`",
    label = "not a number of tags"
)]
pub trait IntoTags {
    /// Calls `add` with each of them.
    fn into_tags(self, add: impl FnMut(&str));
}

#[diagnostic::do_not_recommend]
impl<I: IntoIterator<Item: AsRef<str>>> IntoTags for I {
    fn into_tags(self, mut add: impl FnMut(&str)) {
        self.into_iter().for_each(|tag| add(tag.as_ref()));
    }
}

impl Verdict {
    /// The verdict of a function that asks nothing.
    #[expect(clippy::new_without_default, reason = "written by the macro only")]
    #[inline]
    pub fn new() -> Self {
        Self { keep: true, ttl: None, tags: Marks::new(), weight: 1 }
    }

    /// What `cache_if` said.
    #[must_use]
    pub fn keep_if(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// What `ttl_for` said.
    #[must_use]
    pub fn ttl(mut self, ttl: impl IntoTtl) -> Self {
        self.ttl = ttl.into_ttl();
        self
    }

    /// What `tags_for` said.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoTags) -> Self {
        tags.into_tags(|tag| self.tags.push(Mark::tag(tag)));
        self
    }

    /// What `weigh` said.
    #[must_use]
    pub fn weight(mut self, weight: impl IntoWeight) -> Self {
        self.weight = weight.into_weight();
        self
    }
}
