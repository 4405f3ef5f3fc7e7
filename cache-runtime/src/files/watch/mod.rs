//! Directories that are watched, so that hits need not look at the files in them.
//!
//! A watch is a hint and never the last word: whoever relies on one looked at the files while it
//! stood, and looks again once anything happened to them.
//!
//! It does not tell of writes through a memory map before the file is closed, through a hard link
//! that was made after the file was looked at, or below a file system that was mounted inside a
//! watched directory after that was first seen.

mod coverage;
mod ground;
mod keeper;
mod listener;
mod root;

pub(crate) use coverage::Coverage;

use crate::error::{Error, ErrorKind};
use coverage::RootId;
use keeper::{Keeper, Message, Report};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use std::{fs, thread};

/// All that this process watches.
pub(crate) fn coverage() -> &'static Arc<Coverage> {
    static COVERAGE: LazyLock<Arc<Coverage>> = LazyLock::new(Arc::default);
    &COVERAGE
}

/// What changed, for those who want to be told. A path that did not change may be among them.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "each value looks at its files itself"))]
pub(crate) enum Changed<'a> {
    /// Each stands for all that is below it, too: a directory that appeared is told of, and not what
    /// was in it by then.
    Paths(&'a [PathBuf]),
    /// Whatever is in this directory.
    Below(&'a Path),
}

/// Watches a directory and all in it, until the returned guard is dropped.
///
/// Functions with `files(..)` look at their files on every hit. For files in a watched directory
/// they need not, as long as nothing happened to these: such a hit costs no system call, if its
/// paths are absolute.
///
/// A change counts once the system has told of it, which takes well below a millisecond as a rule.
/// Whoever can't wait for that must not watch. What the system can't tell of is looked at as without
/// a watch: files behind symbolic links, on another file system than the directory, or with further
/// hard links. Not seen are writes through a memory map while the file stays open, hard links that
/// are made later, and file systems that are mounted inside later.
///
/// The directory may be deleted, replaced and made again meanwhile. That is noticed within a tenth
/// of a second; for as long as it is gone, nothing is taken for unchanged.
///
/// # Errors
///
/// Of kind [`ErrorKind::Configuration`], if `dir` is no directory, if some of it can't be read, if
/// its file system does not tell of all changes, as those of a network, or if the system has no room
/// for more watches.
///
/// ```
/// # use cache_runtime as larder;
/// # let dir = std::env::temp_dir().join(format!("larder-watch-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// let watch = larder::watch(&dir)?;
/// // Hits look at no file in `dir`.
/// drop(watch);
/// # std::fs::remove_dir(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn watch(dir: impl AsRef<Path>) -> Result<Watch, Error> {
    watch_and_report(dir.as_ref(), |_| {})
}

/// Like `watch`; and what changed is reported, on a thread of the watch's own. What is reported was
/// suspect since it happened, and is no longer when `report` has returned.
pub(crate) fn watch_and_report(
    dir: &Path,
    report: impl Fn(Changed<'_>) + Send + 'static,
) -> Result<Watch, Error> {
    start(coverage(), dir, Box::new(report)).map_err(|why| {
        let dir = dir.display();
        Error::new(
            ErrorKind::Configuration,
            format!("the directory `{dir}` can't be watched: {why}"),
        )
    })
}

fn start(coverage: &Arc<Coverage>, dir: &Path, report: Report) -> Result<Watch, String> {
    let root = fs::canonicalize(dir).map_err(|it| it.to_string())?;
    let (bell, mailbox) = mpsc::channel();
    let mut keeper = Keeper::new(coverage, &root, bell.clone(), report);
    let id = keeper.id();
    keeper.establish()?;
    thread::Builder::new()
        .name("larder-watch".into())
        .spawn(move || keeper.run(&mailbox))
        .map_err(|it| it.to_string())?;
    Ok(Watch { coverage: Arc::clone(coverage), id, root, bell })
}

/// A watched directory, for as long as this lives. Made by [`watch`].
#[must_use = "the directory is watched until this is dropped"]
pub struct Watch {
    coverage: Arc<Coverage>,
    id: RootId,
    root: PathBuf,
    bell: Sender<Message>,
}

impl Watch {
    /// Sets how long changes are collected before they are reported; 100 ms unless said.
    ///
    /// Until then hits look at the files themselves, so a longer time delays nothing and spares
    /// work; nothing is stale because of it.
    pub fn debounce(self, span: Duration) -> Self {
        // Nobody hears it if the thread could not go on; then nothing is watched any more.
        let _ = self.bell.send(Message::Debounce(span));
        self
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.coverage.close(self.id);
        let _ = self.bell.send(Message::Stop);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("root", &self.root).finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests;
