//! The disk tier, one file per promise. Two runtimes over one directory stand for two processes:
//! they share nothing else. Where a process has to die, see `tests/process`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]
#![expect(
    clippy::semicolon_if_nothing_returned,
    clippy::trivially_copy_pass_by_ref,
    reason = "functions and calls in the shapes that users give them"
)]

mod alone;
mod batch;
mod codec;
mod files;
mod invalidation;
mod keeping;
mod keys;
mod lifetimes;
mod overdue;
mod per_call;
mod refresh;
mod settings;
mod support;
