//! What larder promises, each promise with the tests that try to break it.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]
#![expect(
    clippy::pedantic,
    clippy::ptr_arg,
    clippy::type_complexity,
    reason = "functions are declared here in every shape a user may choose"
)]

mod support;

mod ambient;
mod batch;
mod batch_freshness;
mod borrowing;
mod cascade;
mod changes;
mod circles;
mod companion;
mod copies;
mod counters;
mod dependencies;
mod explain;
mod failure;
mod grace;
mod handles;
#[path = "../servers/hearing.rs"]
mod hearing;
mod invalidation;
mod jitter;
mod joining;
mod keys;
mod limits;
mod options;
mod overtaken;
mod patterns;
mod per_call;
mod reentrance;
mod refresh;
mod runtime;
mod scopes;
mod single_flight;
mod stale;
mod templates;
mod tenants;
mod versions;
mod warming;
