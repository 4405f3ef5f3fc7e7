//! The thread that everything about servers runs on, with a runtime of its own: connections outlive
//! every executor of the program, and serve callers that have none.

use std::future::{Future, pending};
use std::io;
use std::sync::OnceLock;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Semaphore;

/// What takes long is done by so many other threads at most: others wait for their turn.
static ASIDE: Semaphore = Semaphore::const_new(4);

static HANDLE: OnceLock<Handle> = OnceLock::new();

/// Starts the thread, unless it runs.
pub(super) fn start() -> io::Result<()> {
    if HANDLE.get().is_some() {
        return Ok(());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    if HANDLE.set(runtime.handle().clone()).is_ok() {
        let run = move || runtime.block_on(pending::<()>());
        thread::Builder::new().name("larder-redis".to_owned()).spawn(run)?;
    }
    Ok(())
}

/// Runs a future on the thread.
pub(super) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    if let Some(handle) = HANDLE.get() {
        drop(handle.spawn(future));
    }
}

/// Does what may take long on another thread: on this one nothing waits for a disk.
pub(super) fn aside(work: impl FnOnce() + Send + 'static) {
    spawn(async {
        // Never closed.
        let _turn = ASIDE.acquire().await;
        // Who waits for what comes of it learns that it failed.
        let _ = tokio::task::spawn_blocking(work).await;
    });
}
