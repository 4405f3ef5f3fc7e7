//! Fingerprints of the shapes of types (K5), found by asking their `Deserialize` for a value.
//!
//! A type is deserialized again and again from a source that says nothing but "yes", and notes what
//! it is asked for: names, fields, variants, their order and their types.
//!
//! 1. It ends: each run sees a place it had not seen, or gives one up, and all runs together have a
//!    bounded number of steps.
//! 2. It never panics, and a panic of the type's own code ends a run only.
//! 3. What it can't see through makes a shape partial: then the type's printed name is part of it,
//!    and a change behind what can't be seen may go unnoticed.
//! 4. Fingerprints are the same in each process, on each machine, by each build.

mod elements;
mod graph;
mod node;
#[cfg(test)]
mod tests;
mod tracer;

use graph::Graph;
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracer::Tracer;
use xxhash_rust::xxh3::xxh3_128;

/// What is known of a type's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) fingerprint: [u8; 16],
    /// Two types that differ may have this one shape.
    pub(crate) partial: bool,
}

/// Traces the shape of `T`. It takes its time: ask once.
pub(crate) fn of<T: DeserializeOwned>() -> Shape {
    let graph = trace::<T>();
    let mut text = graph.text();
    if graph.partial() {
        text.push_str(type_name::<T>());
    }
    Shape { fingerprint: xxh3_128(text.as_bytes()).to_le_bytes(), partial: graph.partial() }
}

fn trace<T: DeserializeOwned>() -> Graph {
    let mut graph = Graph::new();
    while graph.prepare() {
        let run =
            catch_unwind(AssertUnwindSafe(|| T::deserialize(Tracer::new(&mut graph)).is_ok()));
        graph.conclude(run.unwrap_or(false));
    }
    graph
}
