//! Bounds the index of the log, a file beside it that all connections share.
//!
//! `SQLite` believes the index when it takes a transaction back. After somebody else has written into
//! that file, it may read there of a log with billions of pages: it then makes the index as long as one of
//! such a log, tens of gigabytes, page by page, while everyone else waits.
//!
//! 1. A part of the index that no log of a store could need is refused, as damage.
//! 2. The methods that `SQLite` keeps for a file are replaced by a copy of them, whose only difference
//!    this is. A file with other methods than the first one had keeps its own.

#![expect(unsafe_code, reason = "the table of methods that SQLite keeps for a file")]

use super::bounds::{Bounds, PAGE};
use rusqlite::{Connection, ffi};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};

/// How many pages of the log one part of the index is for, but the first, which is for a few less.
const PAGES: u64 = 4_096;

/// So many parts, 32 KiB each, nobody is refused: other processes may have larger limits.
const LEAST: c_int = 1_024;

/// How many parts an index may have: what the largest of this process's stores needs.
static MOST: AtomicI32 = AtomicI32::new(LEAST);

static METHODS: OnceLock<Methods> = OnceLock::new();

struct Methods {
    /// Where they were found.
    place: usize,
    theirs: ffi::sqlite3_io_methods,
    bounded: ffi::sqlite3_io_methods,
}

/// Bounds the index that a connection uses.
pub(super) fn bound(connection: &Connection, bounds: Bounds) {
    let parts = c_int::try_from(2 * bounds.longest_log() / PAGE / PAGES).unwrap_or(c_int::MAX);
    MOST.fetch_max(parts, Relaxed);
    let mut file: *mut ffi::sqlite3_file = ptr::null_mut();
    // SAFETY: the connection is open, and asked for this a place for one pointer is what it takes.
    let code = unsafe {
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_FILE_POINTER,
            (&raw mut file).cast(),
        )
    };
    if code != ffi::SQLITE_OK || file.is_null() {
        return;
    }
    // SAFETY: the file is the connection's, which nobody else uses now, and has methods while it is open.
    let place = unsafe { (*file).pMethods };
    // SAFETY: a table of methods outlives every file that has it.
    let theirs = unsafe { place.as_ref() }.filter(|theirs| theirs.xShmMap.is_some());
    // Without one, the file can have no index.
    let Some(theirs) = theirs else { return };
    let methods = METHODS.get_or_init(|| Methods {
        place: place.addr(),
        theirs: *theirs,
        bounded: ffi::sqlite3_io_methods { xShmMap: Some(map), ..*theirs },
    });
    if methods.place == place.addr() {
        // SAFETY: as above; what is put there is never dropped, and does what the other did.
        unsafe { (*file).pMethods = &raw const methods.bounded };
    }
}

/// Maps a part of the index, if there may be such a part.
unsafe extern "C" fn map(
    file: *mut ffi::sqlite3_file,
    part: c_int,
    size: c_int,
    may_grow: c_int,
    place: *mut *mut c_void,
) -> c_int {
    let theirs = METHODS.get().and_then(|methods| methods.theirs.xShmMap);
    match theirs {
        // SAFETY: the arguments are those that it would have been called with.
        Some(theirs) if part < MOST.load(Relaxed) => unsafe {
            theirs(file, part, size, may_grow, place)
        },
        _ => {
            // SAFETY: the caller has a place for a pointer there.
            unsafe { *place = ptr::null_mut() };
            ffi::SQLITE_CORRUPT
        }
    }
}
