//! How much of a call's time was the engine's own.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

tokio::task_local! {
    static SPENT: Cell<Option<Duration>>;
}

/// Runs a part of the engine's work and adds its time to that of the call it belongs to.
pub(crate) async fn spent_in<T>(work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let out = work.await;
    // A call that nobody measures has no place to add to.
    let _ = SPENT.try_with(|spent| {
        spent.set(Some(spent.get().unwrap_or_default() + begun.elapsed()));
    });
    out
}

/// Runs a call, and returns also the time that the engine's work took; nothing if it did none.
pub(crate) async fn measured<T>(call: impl Future<Output = T>) -> (T, Option<Duration>) {
    let call = async { (call.await, SPENT.with(Cell::get)) };
    SPENT.scope(Cell::new(None), call).await
}
