//! Who is there: every process that uses a folder holds a shared lock on one of its files, so that
//! the last one can tell that it is.
//!
//! 1. A member is one from `join` until it is dropped or its process ends in whatever way.
//! 2. While one is alone, nobody joins: `join` waits for the end of `Alone`.
//! 3. Going from member to alone and back, it never is neither.

use super::kernel_lock::{self, Mode};
use std::fs::File;
use std::io;
use std::path::Path;

/// The only byte that is locked.
const BYTE: u64 = 0;

/// One of those who are there. Two in one process are two.
pub(crate) struct Members {
    file: File,
}

/// Nobody else is there, nor comes, until this is dropped.
#[must_use = "once it is dropped others may join"]
pub(crate) struct Alone<'a> {
    members: &'a mut Members,
}

impl Members {
    /// Becomes a member. Waits while another is alone.
    pub(crate) fn join(path: &Path) -> io::Result<Self> {
        let file = kernel_lock::open(path)?;
        kernel_lock::lock(&file, BYTE, Mode::Shared)?;
        Ok(Self { file })
    }

    /// Says whether nobody else is there, and keeps it so. Never waits. Of two that ask at the same
    /// time neither may be told yes.
    pub(crate) fn alone(&mut self) -> io::Result<Option<Alone<'_>>> {
        let alone = kernel_lock::try_lock(&self.file, BYTE, Mode::Exclusive)?;
        Ok(alone.then_some(Alone { members: self }))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        // Nobody holds what could be in the way, and to weaken one's own lock takes no memory.
        let _ = kernel_lock::try_lock(&self.members.file, BYTE, Mode::Shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::{Child, Folder, role};

    fn may_join(path: &Path) -> bool {
        let file = kernel_lock::open(path).unwrap();
        kernel_lock::try_lock(&file, BYTE, Mode::Shared).unwrap()
    }

    /// Joins where that does not mean to wait.
    fn join(path: &Path) -> Members {
        assert!(may_join(path));
        Members::join(path).unwrap()
    }

    #[test]
    fn the_last_one_knows_that_it_is() {
        let folder = Folder::new();
        let path = folder.path().join("members");
        let mut first = join(&path);
        let mut second = join(&path);
        assert!(first.alone().unwrap().is_none());
        assert!(second.alone().unwrap().is_none());
        drop(first);
        assert!(second.alone().unwrap().is_some());
    }

    #[test]
    fn one_that_is_told_no_stays_a_member() {
        let folder = Folder::new();
        let path = folder.path().join("members");
        let mut first = join(&path);
        let mut second = join(&path);
        assert!(first.alone().unwrap().is_none());
        assert!(second.alone().unwrap().is_none());
    }

    #[test]
    fn nobody_joins_while_one_is_alone() {
        let folder = Folder::new();
        let path = folder.path().join("members");
        let mut member = join(&path);
        assert!(may_join(&path));
        let alone = member.alone().unwrap().expect("nobody else is there");
        assert!(!may_join(&path));
        let joining = std::thread::spawn({
            let path = path.clone();
            move || drop(Members::join(&path).unwrap())
        });
        drop(alone);
        assert!(may_join(&path));
        joining.join().unwrap();
        let mut other = join(&path);
        assert!(other.alone().unwrap().is_none(), "who was alone is still a member");
    }

    #[test]
    fn a_member_that_is_killed_is_none() {
        if let Some(path) = role() {
            let _member = Members::join(&path.join("members")).unwrap();
            Child::say("joined");
            Child::await_end();
            return;
        }
        let folder = Folder::new();
        let mut member = Members::join(&folder.path().join("members")).unwrap();
        let name = "a_member_that_is_killed_is_none";
        let children = [(); 2].map(|()| Child::start(module_path!(), name, &folder));
        let [mut killed, mut ended] = children;
        killed.hear("joined");
        ended.hear("joined");
        assert!(member.alone().unwrap().is_none());
        killed.kill();
        assert!(member.alone().unwrap().is_none());
        ended.end();
        assert!(member.alone().unwrap().is_some());
    }
}
