//! The files one value depends on.
//!
//! 1. Paths are absolute, sorted, and each is there once.
//! 2. What callees depend on is shared by reference and flat: each callee appears once.
//! 3. Beyond the bound it never holds.
//! 4. Whoever finds a fingerprint to be trusted from now on remembers that.
//! 5. A path that was not absolute means a file only in the working directory it was taken from:
//!    in another one it does not hold.
//! 6. `vouched` is a generation at which every path was watched, read before they were all looked
//!    at and found unchanged.

use super::bytes::Bytes;
use super::fingerprint::{Fingerprint, Still};
use super::paths::Paths;
use super::stat::Timestamp;
#[cfg(feature = "watch")]
use super::watch::{self, Coverage};
#[cfg(feature = "watch")]
use crate::sync::{AtomicU64, Ordering};
use std::collections::{BTreeSet, HashSet};
use std::env;
use std::path::{self, Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The most paths one value may depend on, those of its callees included.
const MOST_PATHS: usize = 4_096;

/// The longest path that is kept; no system opens a longer one.
const LONGEST_PATH: usize = 32_768;

/// What the files that a value depends on looked like before it was computed.
#[derive(Debug, Default)]
pub(crate) struct Files {
    own: Box<[Dependency]>,
    inherited: Vec<Arc<Files>>,
    /// The working directory, if a path was not absolute.
    from: Option<Box<Path>>,
    unbounded: bool,
    #[cfg(feature = "watch")]
    vouched: AtomicU64,
}

#[derive(Debug)]
struct Dependency {
    path: Box<Path>,
    recorded: Fingerprint,
    trusted: OnceLock<Fingerprint>,
}

impl Files {
    /// Looks at the files that arguments name. An empty path names none; the others are taken from
    /// the working directory of this moment.
    pub(crate) fn of(paths: &(impl Paths + ?Sized)) -> Self {
        let mut absolute = BTreeSet::new();
        let (mut unbounded, mut relative) = (false, false);
        paths.each(&mut |path| {
            relative |= path.is_relative() && !path.as_os_str().is_empty();
            if path.as_os_str().is_empty() || unbounded {
                return;
            }
            match path::absolute(path) {
                Ok(path) if absolute.len() < MOST_PATHS || absolute.contains(&path) => {
                    absolute.insert(path);
                }
                // One too many, or there is no working directory.
                Ok(_) | Err(_) => unbounded = true,
            }
        });
        let from = if relative { env::current_dir().ok() } else { None };
        if unbounded || relative && from.is_none() {
            return Self::unbounded();
        }
        let own = absolute.into_iter().map(Dependency::of).collect();
        Self { own, from: from.map(PathBuf::into_boxed_path), ..Self::default() }
    }

    /// More than can be kept track of.
    pub(crate) fn unbounded() -> Self {
        Self { unbounded: true, ..Self::default() }
    }

    /// These, and what callees depend on.
    pub(crate) fn inheriting(mut self, callees: impl IntoIterator<Item = Arc<Self>>) -> Self {
        let mut known: HashSet<_> = self.inherited.iter().map(Arc::as_ptr).collect();
        let mut paths = self.all().count();
        for callee in callees {
            self.unbounded |= callee.unbounded;
            let parts = callee.inherited.iter().chain([&callee]);
            for part in parts.filter(|part| !part.own.is_empty()) {
                if paths <= MOST_PATHS && known.insert(Arc::as_ptr(part)) {
                    paths += part.own.len();
                    self.inherited.push(Arc::clone(part));
                }
            }
        }
        if self.unbounded || paths > MOST_PATHS {
            return Self::unbounded();
        }
        self
    }

    /// These, and what callees depend on; nothing if that is none at all.
    pub(crate) fn together(
        own: Option<Self>,
        callees: impl IntoIterator<Item = Arc<Self>>,
    ) -> Option<Arc<Self>> {
        let all = own.unwrap_or_default().inheriting(callees);
        (!all.is_empty()).then(|| Arc::new(all))
    }

    /// Whether every file is known to look as it did without a look at any: one load.
    #[inline]
    #[cfg_attr(not(feature = "watch"), expect(clippy::unused_self, reason = "a look it takes"))]
    pub(crate) fn hold_at_a_glance(&self) -> bool {
        #[cfg(feature = "watch")]
        return self.are_absolute()
            && watch::coverage().is_at(self.vouched.load(Ordering::Relaxed));
        #[cfg(not(feature = "watch"))]
        return false;
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.unbounded && self.are_here() && self.all().next().is_none()
    }

    pub(crate) fn is_unbounded(&self) -> bool {
        self.unbounded
    }

    /// All paths, those of callees included. One may come twice.
    #[cfg(any(test, feature = "watch"))]
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.all().map(|it| &*it.path)
    }

    /// Whether every file looks as it did.
    ///
    /// As long as all of them are watched and nothing happened, it is one load; else it looks at
    /// them.
    pub(crate) fn still_hold(&self) -> bool {
        #[cfg(feature = "watch")]
        return self.still_hold_under(watch::coverage());
        #[cfg(not(feature = "watch"))]
        return self.are_here() && self.look_the_same();
    }

    #[cfg(feature = "watch")]
    pub(super) fn still_hold_under(&self, coverage: &Coverage) -> bool {
        // Relaxed: the generation stands for itself; to see an older one is to look again.
        let vouched = self.vouched.load(Ordering::Relaxed);
        if self.unbounded || !self.are_here() {
            return false;
        }
        if coverage.is_at(vouched) {
            return true;
        }
        if vouched != Coverage::NEVER
            && let Some(now) = coverage.unchanged_since(vouched, self.paths())
        {
            self.vouched.fetch_max(now, Ordering::Relaxed);
            return true;
        }
        let watched = coverage.watched(self.paths());
        let same = self.look_the_same();
        if let Some(now) = watched.filter(|_| same && !self.may_change_unseen()) {
            self.vouched.fetch_max(now, Ordering::Relaxed);
        }
        same
    }

    #[cfg(feature = "watch")]
    fn may_change_unseen(&self) -> bool {
        self.all().any(|it| it.current().may_change_unseen())
    }

    fn look_the_same(&self) -> bool {
        !self.unbounded && self.all().all(Dependency::still_holds)
    }

    /// The working directories that paths were taken from.
    fn origins(&self) -> impl Iterator<Item = &Path> {
        let callees = self.inherited.iter().filter_map(|callee| callee.from.as_deref());
        self.from.as_deref().into_iter().chain(callees)
    }

    fn are_absolute(&self) -> bool {
        self.origins().next().is_none()
    }

    /// Whether paths still mean the files that they meant.
    fn are_here(&self) -> bool {
        if self.are_absolute() {
            return true;
        }
        let here = env::current_dir().ok();
        self.origins().all(|from| here.as_deref() == Some(from))
    }

    fn all(&self) -> impl Iterator<Item = &Dependency> {
        self.own.iter().chain(self.inherited.iter().flat_map(|callee| &*callee.own))
    }
}

impl Dependency {
    fn of(path: PathBuf) -> Self {
        let recorded = Fingerprint::of(&path);
        Self::with(path.into(), recorded)
    }

    fn with(path: Box<Path>, recorded: Fingerprint) -> Self {
        Self { path, recorded, trusted: OnceLock::new() }
    }

    fn current(&self) -> &Fingerprint {
        self.trusted.get().unwrap_or(&self.recorded)
    }

    fn still_holds(&self) -> bool {
        self.still_holds_at(Timestamp::now())
    }

    /// `now` was read before this look.
    fn still_holds_at(&self, now: Timestamp) -> bool {
        match self.current().still_holds_at(&self.path, now) {
            Still::Yes => true,
            Still::YesTrusted(trusted) => {
                // Another thread may have found the same.
                let _ = self.trusted.set(trusted);
                true
            }
            Still::No => false,
        }
    }
}

/// In place of a number of paths.
const UNBOUNDED: u32 = u32::MAX;

impl Files {
    /// Appends the binary form. Callees' files become one's own in it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let all: BTreeSet<_> = self.all().map(|it| (&*it.path, it.current())).collect();
        let paths: Option<Vec<_>> = all.iter().map(|(path, _)| path_bytes(path)).collect();
        let mut origins = self.origins();
        let from = origins.next();
        let apart = origins.any(|other| Some(other) != from);
        let from = from.map_or_else(|| Some(&[][..]), path_bytes);
        let Some((paths, from)) = paths.zip(from).filter(|_| !self.unbounded && !apart) else {
            out.extend(UNBOUNDED.to_le_bytes());
            return;
        };
        out.extend(length(paths.len()).to_le_bytes());
        out.extend(length(from.len()).to_le_bytes());
        out.extend(from);
        for (path, (_, fingerprint)) in paths.into_iter().zip(all) {
            out.extend(length(path.len()).to_le_bytes());
            out.extend(path);
            fingerprint.write(out);
        }
    }

    /// Reads the binary form at the beginning of `bytes`, and returns how long it is.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut rest = Bytes::new(bytes);
        let count = rest.u32()?;
        if count == UNBOUNDED {
            return Some((Self::unbounded(), rest.read()));
        }
        let count = usize::try_from(count).ok().filter(|count| *count <= MOST_PATHS)?;
        let length = usize::try_from(rest.u32()?).ok().filter(|it| *it <= LONGEST_PATH)?;
        let from = match rest.take(length)? {
            [] => None,
            from => Some(path_of(from).filter(|it| it.is_absolute())?.into()),
        };
        let mut own = Vec::new();
        for _ in 0..count {
            let length = usize::try_from(rest.u32()?).ok().filter(|it| *it <= LONGEST_PATH)?;
            let path = path_of(rest.take(length)?).filter(|path| path.is_absolute())?;
            let (fingerprint, length) = Fingerprint::read(&bytes[rest.read()..])?;
            rest.take(length)?;
            own.push(Dependency::with(path.into(), fingerprint));
        }
        Some((Self { own: own.into(), from, ..Self::default() }, rest.read()))
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("both paths and their number are bounded")
}

#[cfg(unix)]
fn path_bytes(path: &Path) -> Option<&[u8]> {
    use std::os::unix::ffi::OsStrExt;
    Some(path.as_os_str().as_bytes()).filter(|bytes| bytes.len() <= LONGEST_PATH)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere some bytes are no path")]
fn path_of(bytes: &[u8]) -> Option<&Path> {
    use std::os::unix::ffi::OsStrExt;
    Some(Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
fn path_bytes(path: &Path) -> Option<&[u8]> {
    path.to_str().map(str::as_bytes).filter(|bytes| bytes.len() <= LONGEST_PATH)
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}

#[cfg(all(test, unix))]
mod tests;
