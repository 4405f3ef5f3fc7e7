//! The files to index.

use larder::cached;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::{DirEntry, WalkDir};

/// The Rust files below a directory.
pub(crate) struct SourceTree {
    /// In the order of their names, so that two runs do the same.
    pub(crate) files: Vec<PathBuf>,
    /// Why parts of the tree could not be looked at.
    pub(crate) unreadable: Vec<String>,
}

impl SourceTree {
    /// Symbolic links below `root` are not followed: every file counts once, and a loop is never
    /// entered. Pipes and devices are left alone.
    pub(crate) fn find(root: &Path) -> Self {
        let mut tree = Self { files: Vec::new(), unreadable: Vec::new() };
        for entry in WalkDir::new(root).sort_by_file_name() {
            match entry {
                Ok(entry) if is_rust(&entry) => tree.files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => tree.unreadable.push(error.to_string()),
            }
        }
        tree
    }
}

/// The files below a directory, found anew only when anything below it has changed.
///
/// For a tree that is watched: otherwise all of it is looked at on each call, to tell. It stays in
/// memory, since a process that has just started is not watching anything yet.
#[cached(files(root), capacity = 1)]
pub(crate) fn watched_tree(root: &Path) -> Arc<SourceTree> {
    Arc::new(SourceTree::find(root))
}

fn is_rust(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && entry.path().extension().is_some_and(|it| it == "rs")
}
