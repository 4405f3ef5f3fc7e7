//! One pass over a tree: finding its files, and indexing each.

use crate::file_index::{FileIndex, IndexError, index_file};
use crate::source_tree::SourceTree;
use crate::sources::Sources;
use crate::workers;
use indicatif::{ProgressBar, ProgressStyle};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What one pass came to.
pub(crate) struct Pass {
    pub(crate) name: &'static str,
    pub(crate) tree: Arc<SourceTree>,
    pub(crate) total: Total,
    pub(crate) indexed: usize,
    /// By the file's place in the tree.
    pub(crate) failures: Vec<(usize, IndexError)>,
    pub(crate) sources: Sources,
    pub(crate) time: Duration,
}

/// How much of what there is in all files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) lines: u64,
    pub(crate) functions: u64,
    pub(crate) structs: u64,
    pub(crate) enums: u64,
    pub(crate) traits: u64,
}

impl Total {
    fn add(&mut self, file: &FileIndex) {
        self.lines += u64::from(file.lines);
        self.functions += u64::from(file.functions);
        self.structs += u64::from(file.structs);
        self.enums += u64::from(file.enums);
        self.traits += u64::from(file.traits);
    }
}

impl Pass {
    /// # Errors
    ///
    /// If the system gives no thread to work on.
    pub(crate) fn over(
        name: &'static str,
        find: impl FnOnce() -> Arc<SourceTree>,
    ) -> io::Result<Self> {
        let (begun, before) = (Instant::now(), Sources::so_far());
        let tree = find();
        let bar = progress_bar(tree.files.len(), name);
        let indexes = workers::on_all(&tree.files, |path| {
            let index = index(path);
            bar.inc(1);
            index
        })?;
        bar.finish_and_clear();
        let mut pass = Self {
            name,
            tree,
            total: Total::default(),
            indexed: 0,
            failures: Vec::new(),
            sources: Sources::so_far() - before,
            time: begun.elapsed(),
        };
        for (at, index) in indexes.into_iter().enumerate() {
            match index {
                Ok(index) => {
                    pass.total.add(&index);
                    pass.indexed += 1;
                }
                Err(error) => pass.failures.push((at, error)),
            }
        }
        Ok(pass)
    }
}

fn index(path: &Path) -> Result<FileIndex, IndexError> {
    let parsed = catch_unwind(AssertUnwindSafe(|| index_file(path)));
    parsed.unwrap_or(Err(IndexError::ParserPanicked))
}

/// How long it takes only to find the files and to read each one's metadata: what any index has to
/// do that notices edits by itself.
///
/// # Errors
///
/// If the system gives no thread to work on.
pub(crate) fn metadata_alone(root: &Path) -> io::Result<Duration> {
    let begun = Instant::now();
    let tree = SourceTree::find(root);
    workers::on_all(&tree.files, |path| path.metadata().map_or(0, |it| it.len()))?;
    Ok(begun.elapsed())
}

/// On standard error, if that is a terminal; nowhere otherwise.
fn progress_bar(files: usize, name: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>6} pass {bar:40} {pos}/{len} {eta}");
    ProgressBar::new(files as u64)
        .with_style(style.expect("the template names keys that there are"))
        .with_prefix(name)
}
