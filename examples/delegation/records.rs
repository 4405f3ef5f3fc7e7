//! Where the book is kept that decisions are made by: in this process, or in a file that engines of
//! several processes share.
//!
//! The file lists the events, one a line, below a line that tells it from all other such files.

use crate::policy::{PolicyBook, PolicyEvent};
use crate::request::DecideError;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

pub(crate) struct Records {
    realm: String,
    kept: Kept,
}

enum Kept {
    Here(RwLock<PolicyBook>),
    InFile { path: PathBuf, first: PolicyBook },
}

impl Records {
    /// Of this process alone.
    pub(crate) fn new(symbols: impl IntoIterator<Item = String>) -> Self {
        let book = RwLock::new(PolicyBook::new(symbols));
        Self { realm: random(), kept: Kept::Here(book) }
    }

    /// In a file, which is made if there is none.
    pub(crate) fn open(path: &Path, symbols: impl IntoIterator<Item = String>) -> io::Result<Self> {
        if !path.exists() {
            begin(path)?;
        }
        let text = fs::read_to_string(path)?;
        let Some(("realm", realm)) = text.lines().next().and_then(|line| line.split_once(' '))
        else {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is no list of events"));
        };
        let kept = Kept::InFile { path: path.to_owned(), first: PolicyBook::new(symbols) };
        Ok(Self { realm: realm.to_owned(), kept })
    }

    /// Tells these from all other records.
    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    /// Looks something up in the book as it is now.
    pub(crate) fn look_up<R>(&self, what: impl FnOnce(&PolicyBook) -> R) -> Result<R, DecideError> {
        match &self.kept {
            Kept::Here(book) => Ok(what(&book.read().unwrap_or_else(PoisonError::into_inner))),
            Kept::InFile { path, first } => {
                let text = fs::read_to_string(path)
                    .map_err(|error| DecideError::Unreadable(error.to_string()))?;
                let mut book = first.clone();
                text.lines().filter_map(|line| line.parse().ok()).for_each(|it| book.apply(&it));
                Ok(what(&book))
            }
        }
    }

    pub(crate) fn add(&self, event: &PolicyEvent) -> io::Result<()> {
        match &self.kept {
            Kept::Here(book) => {
                book.write().unwrap_or_else(PoisonError::into_inner).apply(event);
                Ok(())
            }
            // At once, so that lines of several processes don't run together.
            Kept::InFile { path, .. } => OpenOptions::new()
                .append(true)
                .open(path)?
                .write_all(format!("{event}\n").as_bytes()),
        }
    }
}

/// Writes a file beside its place and links it there, so that one process at most begins it, and
/// nobody sees it half begun.
fn begin(path: &Path) -> io::Result<()> {
    let unfinished = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&unfinished, format!("realm {}\n", random()))?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

fn random() -> String {
    format!("{:032x}", fastrand::u128(..))
}
