//! The files to index.

use std::path::{Path, PathBuf};
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

fn is_rust(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && entry.path().extension().is_some_and(|it| it == "rs")
}
