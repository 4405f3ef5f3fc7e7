//! One pass over all files, on as many threads as there are processors.

use crate::file_index::{FileIndex, IndexError, Revision, index_file};
use crate::nesting::STACK_BYTES;
use crate::source_tree::SourceTree;
use indicatif::{ProgressBar, ProgressStyle};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// What one pass over a tree came to.
pub(crate) struct Pass {
    pub(crate) name: &'static str,
    pub(crate) total: FileIndex,
    pub(crate) indexed: usize,
    /// By file, in the order of the tree.
    pub(crate) failures: Vec<(PathBuf, IndexError)>,
    pub(crate) time: Duration,
}

/// A file's place in the tree, and what was found there.
type Indexed = (usize, Result<Arc<FileIndex>, IndexError>);

impl Pass {
    /// # Errors
    ///
    /// If the system gives no thread to work on.
    pub(crate) fn over(tree: &SourceTree, name: &'static str) -> io::Result<Self> {
        let begun = Instant::now();
        let indexed = index_all(&tree.files, name)?;
        let mut pass = Self {
            name,
            total: FileIndex::default(),
            indexed: 0,
            failures: Vec::new(),
            time: begun.elapsed(),
        };
        for (at, index) in indexed {
            match index {
                Ok(index) => {
                    pass.total += *index;
                    pass.indexed += 1;
                }
                Err(error) => pass.failures.push((tree.files[at].clone(), error)),
            }
        }
        Ok(pass)
    }
}

fn index_all(files: &[PathBuf], name: &'static str) -> io::Result<Vec<Indexed>> {
    let wanted = thread::available_parallelism()?.get();
    let next = AtomicUsize::new(0);
    let bar = progress_bar(files.len(), name);
    let work = || {
        let mut mine = Vec::new();
        loop {
            // Relaxed: the number alone says whose turn a file is.
            let at = next.fetch_add(1, Relaxed);
            let Some(path) = files.get(at) else { return mine };
            mine.push((at, index(path)));
            bar.inc(1);
        }
    };
    let mut indexed = thread::scope(|scope| {
        let spawn = || thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        // One thread is enough, if that is all there is memory for.
        let mut workers = vec![spawn()?];
        workers.extend((1..wanted).map_while(|_| spawn().ok()));
        let done = workers.into_iter().map(|worker| worker.join().expect("panics are caught"));
        io::Result::Ok(done.flatten().collect::<Vec<_>>())
    })?;
    bar.finish_and_clear();
    indexed.sort_unstable_by_key(|(at, _)| *at);
    Ok(indexed)
}

fn index(path: &Path) -> Result<Arc<FileIndex>, IndexError> {
    let revision = Revision::of(path)?;
    let parsed = catch_unwind(AssertUnwindSafe(|| index_file(path, revision)));
    parsed.unwrap_or(Err(IndexError::ParserPanicked))
}

/// On standard error, if that is a terminal; nowhere otherwise.
fn progress_bar(files: usize, name: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>6} pass {bar:40} {pos}/{len} {eta}");
    ProgressBar::new(files as u64)
        .with_style(style.expect("the template names keys that there are"))
        .with_prefix(name)
}
