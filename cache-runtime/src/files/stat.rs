//! One look at a path, without opening what is there.
//!
//! 1. Two contents of one file have different identities, if the first one was settled when it was
//!    read.
//! 2. What can't be told apart from a change is never settled.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far a file's times may lie behind the clock for a change that comes later. A kernel takes
/// them from a clock that ticks every 10 ms at the slowest, exFAT rounds them down by 10 ms more.
/// The same again stands for what is not known.
const FINE: i64 = 40_000_000;

/// The same where times are whole seconds: FAT rounds down by two of them. Also for devices that
/// have no number of their own: they may be a network's, with a clock that is not ours.
const COARSE: i64 = 2_500_000_000;

/// A moment on the clock that file systems read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timestamp {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

impl Timestamp {
    pub(super) fn now() -> Self {
        Self::of(SystemTime::now())
    }

    fn of(time: SystemTime) -> Self {
        let (seconds, nanos) = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => (i64::try_from(after.as_secs()), after.subsec_nanos()),
            // Before 1970 nothing is written; the fraction does not matter.
            Err(before) => (i64::try_from(before.duration().as_secs()).map(|it| -it), 0),
        };
        Self { seconds: seconds.unwrap_or(i64::MAX), nanos }
    }

    pub(super) fn plus(self, span: i64) -> Self {
        let nanos = i64::from(self.nanos) + span;
        let seconds = self.seconds.saturating_add(nanos.div_euclid(1_000_000_000));
        let nanos = u32::try_from(nanos.rem_euclid(1_000_000_000)).expect("less than a second");
        Self { seconds, nanos }
    }
}

/// What tells one content of one file from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) modified: Timestamp,
    /// Can't be set by programs: it tells of those that restore `modified`.
    pub(super) changed: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
    Special,
}

/// What there is at a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stat {
    pub(super) kind: Kind,
    pub(super) identity: Identity,
    /// It has names that may lie anywhere else.
    pub(super) shared: bool,
    /// It occupies no space, so a kernel may make it up whenever it is read.
    made_up: bool,
}

/// How far a file's identity can be relied upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    Settled,
    /// Another change may leave no trace in it.
    Recent,
    Never,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Seen {
    There(Stat),
    Missing,
    /// Whatever is there, or not.
    Unreadable,
}

impl Seen {
    /// Looks at the path itself, not through a link that it may be.
    pub(super) fn at(path: &Path) -> Self {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Self::There(Stat::of(&metadata)),
            Err(fault) if is_missing(&fault) => Self::Missing,
            Err(_) => Self::Unreadable,
        }
    }
}

fn is_missing(fault: &io::Error) -> bool {
    matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

impl Stat {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        let kind = if kind.is_file() {
            Kind::File
        } else if kind.is_dir() {
            Kind::Directory
        } else if kind.is_symlink() {
            Kind::Link
        } else {
            Kind::Special
        };
        Self::with(kind, metadata)
    }

    #[cfg(unix)]
    fn with(kind: Kind, metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let time = |seconds, nanos| Timestamp { seconds, nanos: u32::try_from(nanos).unwrap_or(0) };
        Self {
            kind,
            identity: Identity {
                device: metadata.dev(),
                inode: metadata.ino(),
                mode: metadata.mode(),
                size: metadata.size(),
                modified: time(metadata.mtime(), metadata.mtime_nsec()),
                changed: time(metadata.ctime(), metadata.ctime_nsec()),
            },
            shared: metadata.nlink() > 1,
            made_up: metadata.blocks() == 0,
        }
    }

    /// Without a number of the file and the time of its last change, nothing is ever settled.
    #[cfg(not(unix))]
    fn with(kind: Kind, metadata: &Metadata) -> Self {
        let time = |time: io::Result<SystemTime>| time.map_or(Timestamp::now(), Timestamp::of);
        Self {
            kind,
            identity: Identity {
                device: 0,
                inode: 0,
                mode: 0,
                size: metadata.len(),
                modified: time(metadata.modified()),
                changed: time(metadata.created()),
            },
            shared: true,
            made_up: true,
        }
    }

    /// To be asked with a reading of the clock from before the look.
    pub(super) fn trust(&self, now: Timestamp) -> Trust {
        if self.made_up {
            Trust::Never
        } else if self.identity.is_recent(now) {
            Trust::Recent
        } else {
            Trust::Settled
        }
    }
}

impl Identity {
    /// Whether a change after `now` could be given the times that are here.
    pub(super) fn is_recent(&self, now: Timestamp) -> bool {
        // Only the time of change tells how fine the clock is: the other one may have been set.
        let fine = self.changed.nanos != 0 && is_local(self.device);
        let margin = if fine { FINE } else { COARSE };
        self.modified.max(self.changed).plus(margin) > now
    }
}

#[cfg(target_os = "linux")]
fn is_local(device: u64) -> bool {
    rustix::fs::major(device) != 0
}

#[cfg(not(target_os = "linux"))]
fn is_local(_: u64) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanos: u32) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    fn identity(device: u64, modified: Timestamp, changed: Timestamp) -> Identity {
        Identity { device, inode: 1, mode: 0, size: 1, modified, changed }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn times_are_recent_for_as_long_as_a_change_could_repeat_them() {
        let disk = rustix::fs::makedev(8, 1);
        let fine = identity(disk, at(5, 1), at(5, 1));
        assert!(fine.is_recent(at(5, 40_000_000)));
        assert!(!fine.is_recent(at(5, 40_000_001)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn whole_seconds_and_numberless_devices_are_given_longer() {
        let disk = rustix::fs::makedev(8, 1);
        let whole = identity(disk, at(5, 0), at(5, 0));
        assert!(whole.is_recent(at(7, 499_999_999)));
        assert!(!whole.is_recent(at(7, 500_000_000)));
        let network = identity(rustix::fs::makedev(0, 40), at(5, 1), at(5, 1));
        assert!(network.is_recent(at(7, 400_000_000)));
        // Seconds that a program set say nothing of the clock.
        assert!(!identity(disk, at(3, 0), at(5, 1)).is_recent(at(5, 900_000_000)));
    }

    #[test]
    fn a_file_dated_in_the_future_is_recent_until_then() {
        assert!(identity(1, at(500, 1), at(5, 1)).is_recent(at(400, 0)));
    }

    #[test]
    fn spans_carry_over_into_seconds() {
        assert_eq!(at(5, 999_999_999).plus(2), at(6, 1));
        assert_eq!(at(i64::MAX, 999_999_999).plus(COARSE), at(i64::MAX, 499_999_999));
    }
}
