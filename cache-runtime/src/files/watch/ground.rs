//! What a watched directory stands on: where it is, and what of it a watcher can't tell of.

use crate::files::stat::{Kind, Seen, Stat};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory's device and number: another one has another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    device: u64,
    inode: u64,
}

impl Place {
    fn of(stat: &Stat) -> Self {
        Self { device: stat.identity.device, inode: stat.identity.inode }
    }

    /// Of a directory; `None` for anything else, and for a link to one.
    pub(super) fn at(path: &Path) -> Option<Self> {
        match Seen::at(path) {
            Seen::There(stat) if stat.kind == Kind::Directory => Some(Self::of(&stat)),
            _ => None,
        }
    }
}

/// What was found at a path that something happened to.
pub(super) enum Found {
    Directory,
    /// A link, or where another file system begins.
    Opaque,
    /// What its directory tells everything of.
    Other,
}

pub(super) fn look(path: &Path, root: Place) -> Found {
    match Seen::at(path) {
        Seen::There(stat) => match stat.kind {
            Kind::Directory if stat.identity.device == root.device => Found::Directory,
            Kind::Directory | Kind::Link => Found::Opaque,
            Kind::File | Kind::Special => Found::Other,
        },
        Seen::Missing => Found::Other,
        Seen::Unreadable => Found::Opaque,
    }
}

/// What is opaque in a directory: links, other file systems, and what can't be listed.
pub(super) fn opaque_in(directory: &Path, root: Place) -> Vec<PathBuf> {
    let mut opaque = Vec::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        match list(&next, root, &mut opaque) {
            Ok(directories) => left.extend(directories),
            // What is gone by now will be told of.
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            Err(_) => opaque.push(next),
        }
    }
    opaque
}

fn list(directory: &Path, root: Place, opaque: &mut Vec<PathBuf>) -> io::Result<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // Most are plain files, which need no further look.
        if kind.is_dir() || kind.is_symlink() {
            match look(&entry.path(), root) {
                Found::Directory => directories.push(entry.path()),
                Found::Opaque => opaque.push(entry.path()),
                Found::Other => {}
            }
        }
    }
    Ok(directories)
}

/// The file systems that nothing changes but this machine's kernel, by the numbers that Linux gives
/// them: others may change without a word, as those of a network do.
#[cfg(target_os = "linux")]
const TELLING: &[u32] = &[
    0xEF53,      // ext2, ext3, ext4
    0x5846_5342, // xfs
    0x9123_683E, // btrfs
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
    0x794C_7630, // overlay
    0xF2F5_2010, // f2fs
    0x2FC1_2FC1, // zfs
    0xCA45_1A4E, // bcachefs
    0x3153_464A, // jfs
    0x2011_BAB0, // exfat
    0x4D44,      // fat
    0x7366_746E, // ntfs
    0x7371_7368, // squashfs
    0xE0F5_E1E2, // erofs
];

#[cfg(target_os = "linux")]
pub(super) fn tells_of_changes(directory: &Path) -> bool {
    // The number has 32 bits wherever it comes from; its type has not.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
    rustix::fs::statfs(directory).is_ok_and(|it| TELLING.contains(&(it.f_type as u32)))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn tells_of_changes(_: &Path) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::files::scratch::Scratch;

    #[test]
    fn another_file_system_is_opaque_and_what_is_below_it_unsaid() {
        let scratch = Scratch::new();
        let inner = scratch.directory("inner");
        scratch.directory("inner/more");
        let Some(mut root) = Place::at(scratch.path()) else { panic!("no directory") };
        assert!(opaque_in(scratch.path(), root).is_empty());
        root.device += 1;
        assert_eq!(opaque_in(scratch.path(), root), [&*inner]);
    }

    #[test]
    fn a_link_to_a_directory_is_no_place() {
        let scratch = Scratch::new();
        std::os::unix::fs::symlink(scratch.path(), scratch.at("link")).unwrap();
        assert_eq!(Place::at(&scratch.at("link")), None);
        assert_eq!(Place::at(&scratch.file("a", "")), None);
    }
}
