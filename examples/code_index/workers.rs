//! Work on all files of a tree, on as many threads as there are processors.

use crate::nesting::STACK_BYTES;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// Does `work` on each file, and returns what came of it in the order of the files.
///
/// Processes begin at different places. Two that index one tree at a time would otherwise want the
/// same file at every moment, one of them always waiting; like this each finds done what the other
/// did, until they meet.
///
/// # Errors
///
/// If the system gives no thread to work on.
pub(crate) fn on_all<T: Send>(
    files: &[PathBuf],
    work: impl Fn(&Path) -> T + Sync,
) -> io::Result<Vec<T>> {
    let wanted = thread::available_parallelism()?.get();
    let begin = beginning(files.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mine = Vec::new();
        loop {
            // Relaxed: the number alone says whose turn a file is.
            let turn = next.fetch_add(1, Relaxed);
            if turn >= files.len() {
                return mine;
            }
            let at = (begin + turn) % files.len();
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

/// Somewhere among so many files. Neighbouring process ids, as of programs started together, lie far
/// apart.
fn beginning(files: usize) -> usize {
    let spread = process::id().wrapping_mul(0x9E37_79B9);
    spread as usize % files.max(1)
}
