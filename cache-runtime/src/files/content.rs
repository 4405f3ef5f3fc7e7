//! What is in a file, as one digest.

use super::stat::{Kind, Stat};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

pub(super) type Digest = [u8; 32];

/// What is read of a file that says it is shorter. What a kernel makes up says nothing of its
/// length, and may have no end.
const UNTOLD: u64 = 16 << 20;

/// The longest file that is read to tell whether it has changed. A longer one has no digest until its
/// times are settled, so that what depends on it is computed again, at most.
const MOST: u64 = 64 << 20;

/// The digest of the file that was seen at a path; `None` if it can't be read, is another one by
/// now, or is too long or has no end. Never waits for a writer, as a fifo in its place would.
pub(super) fn digest(path: &Path, seen: &Stat) -> Option<Digest> {
    if seen.identity.size > MOST {
        return None;
    }
    let file = open(path).ok()?;
    let there = Stat::of(&file.metadata().ok()?);
    let same = there.kind == Kind::File
        && there.identity.inode == seen.identity.inode
        && there.identity.device == seen.identity.device;
    if !same {
        return None;
    }
    let most = seen.identity.size.max(UNTOLD);
    let mut hasher = blake3::Hasher::new();
    let read = io::copy(&mut file.take(most.saturating_add(1)), &mut hasher).ok()?;
    (read <= most).then(|| *hasher.finalize().as_bytes())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}
