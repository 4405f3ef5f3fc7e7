//! What the disk tier promises to the processes of a machine, tried with real ones: they start, meet,
//! are killed and come back, and what they share is damaged, full or gone.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]
#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    clippy::cast_possible_truncation,
    clippy::needless_for_each,
    clippy::single_match_else,
    reason = "small numbers, and functions in the shapes that users give them"
)]

mod child;
#[path = "../servers/hearing.rs"]
mod hearing;
mod warnings;
mod words;

mod bounds;
mod cascade;
mod consistency;
mod damage;
mod namespaces;
mod reentrance;
mod resources;
mod restarts;
mod single_flight;
mod unfit;
mod versions;
