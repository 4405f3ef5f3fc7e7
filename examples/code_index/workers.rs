//! Work on all files of a tree, on as many threads as there are processors.

use crate::nesting::STACK_BYTES;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// Does `work` on each file, and returns what came of it in the order of the files.
///
/// Each process takes the files in an order of its own. Two that index one tree at a time would
/// otherwise want the same file at every moment, one of them always waiting, from where they meet at
/// the latest; like this each finds done what the other did.
///
/// # Errors
///
/// If the system gives no thread to work on.
pub(crate) fn on_all<T: Send>(
    files: &[PathBuf],
    work: impl Fn(&Path) -> T + Sync,
) -> io::Result<Vec<T>> {
    let wanted = thread::available_parallelism()?.get();
    let order = order(files.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        loop {
            // Relaxed: the number alone says whose turn a file is.
            let turn = next.fetch_add(1, Relaxed);
            let Some(&at) = order.get(turn) else { return mine };
            mine.push((at, work(&files[at])));
        }
    };
    let mut done = thread::scope(|scope| {
        let spawn = || thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        // One thread is enough, if that is all there is memory for.
        let mut workers = vec![spawn()?];
        workers.extend((1..wanted).map_while(|_| spawn().ok()));
        let done = workers.into_iter().map(|worker| worker.join().expect("panics are caught"));
        io::Result::Ok(done.flatten().collect::<Vec<_>>())
    })?;
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

/// All numbers below `files`, in the order of this process: neighbours together, as the system has
/// their folders at hand, and not all of them.
fn order(files: usize) -> Vec<usize> {
    let together = (files / 64).clamp(1, 32);
    let mut firsts: Vec<_> = (0..files).step_by(together).collect();
    fastrand::Rng::with_seed(process::id().into()).shuffle(&mut firsts);
    firsts.into_iter().flat_map(|first| first..files.min(first + together)).collect()
}
