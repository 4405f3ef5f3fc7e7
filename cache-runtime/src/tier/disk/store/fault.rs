//! Why the store did not do what it was asked.

use rusqlite::{Error, ErrorCode, ffi};
use std::fmt;

/// What kept the store from it, with the words of whoever said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Others hold it; it may work a moment later.
    Busy(Box<str>),
    /// No room: on the disk, in the store, or in a batch.
    Full(Box<str>),
    /// The file is not a store, or no longer. Only another file helps.
    Damaged(Box<str>),
    /// The file can't be reached as things are: rights, descriptors, the device.
    Unavailable(Box<str>),
}

impl Fault {
    /// Whether a connection that met it is as good as before.
    pub(super) fn spares_the_connection(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Full(_))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, why) = match self {
            Self::Busy(why) => ("busy", why),
            Self::Full(why) => ("full", why),
            Self::Damaged(why) => ("damaged", why),
            Self::Unavailable(why) => ("unavailable", why),
        };
        write!(f, "the store is {what}: {why}")
    }
}

impl std::error::Error for Fault {}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let why = error.to_string().into();
        let Some(failure) = error.sqlite_error() else { return Self::Damaged(why) };
        match (failure.code, failure.extended_code) {
            (
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed,
                _,
            ) => Self::Busy(why),
            // A log's index that can't grow has met a full disk.
            (ErrorCode::DiskFull, _) | (_, ffi::SQLITE_IOERR_SHMSIZE) => Self::Full(why),
            // A file that can't be written is not opened to be written: where one is read-only all the
            // same, its own header says so.
            (
                _,
                ffi::SQLITE_READONLY
                | ffi::SQLITE_IOERR_SHORT_READ
                | ffi::SQLITE_IOERR_CORRUPTFS
                | ffi::SQLITE_IOERR_DATA,
            ) => Self::Damaged(why),
            (
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::AuthorizationForStatementDenied
                | ErrorCode::NoLargeFileSupport
                | ErrorCode::OutOfMemory,
                _,
            ) => Self::Unavailable(why),
            // The statements are constant and right, so it is the schema that is not.
            _ => Self::Damaged(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_fault() {
        let fault = |code| Fault::from(Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [ffi::SQLITE_BUSY, ffi::SQLITE_BUSY_RECOVERY, ffi::SQLITE_PROTOCOL] {
            assert!(matches!(fault(code), Fault::Busy(_)), "{code}");
        }
        for code in [ffi::SQLITE_FULL, ffi::SQLITE_IOERR_SHMSIZE] {
            assert!(matches!(fault(code), Fault::Full(_)), "{code}");
        }
        for code in [
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_ERROR,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_IOERR_SHORT_READ,
        ] {
            assert!(matches!(fault(code), Fault::Damaged(_)), "{code}");
        }
        for code in [
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_READONLY_DBMOVED,
            ffi::SQLITE_PERM,
            ffi::SQLITE_NOMEM,
        ] {
            assert!(matches!(fault(code), Fault::Unavailable(_)), "{code}");
        }
    }

    #[test]
    fn a_fault_says_what_the_source_said() {
        let words = Some("disk image is malformed".to_owned());
        let fault = Fault::from(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), words));
        assert_eq!(fault.to_string(), "the store is damaged: disk image is malformed");
    }
}
