//! The file of the log: opened without following links, looked for at its path, locked, made, retired.
//!
//! It does not read what is in the log, but for making one.
//!
//! 1. A log appears at its path whole, with room for all of it.
//! 2. One process records at a time: the kernel lets the lock of one that dies go.

use super::log::{self, Incarnation};
use rustix::fs::{FallocateFlags, FlockOperation};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// One that is open.
pub(super) struct LogFile {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// Device and number of the file.
    identity: (u64, u64),
}

impl LogFile {
    /// Nothing if there is no file, or a link in its place.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let opened = OpenOptions::new().read(true).write(true).custom_flags(no_follow).open(path);
        let file = match opened {
            Ok(file) => file,
            Err(error) if is_nothing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let identity = (metadata.dev(), metadata.ino());
        Ok(Some(Self { file, path: path.to_owned(), identity }))
    }

    /// Whether this is the file that others find by its path.
    pub(super) fn is_in_place(&self) -> bool {
        let found = fs::symlink_metadata(&self.path);
        found.is_ok_and(|found| (found.dev(), found.ino()) == self.identity)
    }

    /// Waits until no other process records anything. Released by the kernel when this one dies.
    pub(super) fn lock(&self) -> io::Result<Locked<'_>> {
        rustix::io::retry_on_intr(|| rustix::fs::flock(&self.file, FlockOperation::LockExclusive))?;
        Ok(Locked(&self.file))
    }
}

/// Lets the lock go when dropped.
pub(super) struct Locked<'a>(&'a File);

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Only what is no lock can't be unlocked.
        let _ = rustix::fs::flock(self.0, FlockOperation::Unlock);
    }
}

fn is_nothing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// Retires what stands at a path, should some process map it.
pub(super) fn retire(path: &Path) -> io::Result<()> {
    let Some(file) = LogFile::open(path)? else { return Ok(()) };
    let _lock = file.lock()?;
    // One that is shorter is zeros at its clock to whoever maps it.
    if file.file.metadata()?.len() >= log::CLOCK_AT + 8 {
        file.file.write_all_at(&log::RETIRED_CLOCK, log::CLOCK_AT)?;
    }
    Ok(())
}

/// Makes a log that nothing has been recorded in.
pub(super) fn make(path: &Path, boot: u64) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true).mode(0o600);
    let file =
        options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()).open(&fresh)?;
    // Room for all of it now: later a full disk would be a fault of the memory.
    let length = 8 * log::WORDS as u64;
    let made = rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, length)
        .map_err(io::Error::from)
        .and_then(|()| file.write_all_at(&log::header(incarnation()?, boot), 0))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&fresh, path));
    if made.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    made
}

fn incarnation() -> io::Result<Incarnation> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    let (one, other) = bytes.split_at(8);
    let word = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes"));
    Ok(Incarnation([word(one), word(other)]))
}

/// Which start of the kernel this is: the same for all containers on it.
pub(super) fn boot() -> io::Result<u64> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let words: Vec<_> = text.trim().bytes().map(u64::from).collect();
    Ok(log::mix(&words))
}
