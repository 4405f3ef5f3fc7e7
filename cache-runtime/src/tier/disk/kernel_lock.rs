//! Locks on single bytes of a file. It owns the calls to the kernel; who may hold what within a
//! process is for the callers to keep.
//!
//! 1. A lock belongs to the open file, not to the process: two openings of one file exclude each
//!    other, wherever they are, and closing another opening releases nothing.
//! 2. The kernel releases a lock when the last descriptor of its opening is gone, so in whatever way
//!    the process ends. A program it started has none, as files close on exec; a bare `fork` has.
//! 3. Taking a lock in another mode replaces it in one step; where that fails, the old one stays.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// How a byte is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Shared,
    Exclusive,
}

/// Opens a file to lock bytes of, and makes it if there is none.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Takes the lock unless another opening is in the way; says whether it did.
pub(super) fn try_lock(file: &File, byte: u64, mode: Mode) -> io::Result<bool> {
    let wanted = request(byte, kind(mode))?;
    match fcntl(file, FcntlArg::F_OFD_SETLK(&wanted)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

/// Waits until the lock can be had.
pub(super) fn lock(file: &File, byte: u64, mode: Mode) -> io::Result<()> {
    let wanted = request(byte, kind(mode))?;
    loop {
        match fcntl(file, FcntlArg::F_OFD_SETLKW(&wanted)) {
            Ok(_) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Gives the lock back. Fails only when the kernel is out of memory for locks.
pub(super) fn unlock(file: &File, byte: u64) -> io::Result<()> {
    let wanted = request(byte, libc::F_UNLCK)?;
    fcntl(file, FcntlArg::F_OFD_SETLK(&wanted))?;
    Ok(())
}

fn kind(mode: Mode) -> libc::c_int {
    match mode {
        Mode::Shared => libc::F_RDLCK,
        Mode::Exclusive => libc::F_WRLCK,
    }
}

fn request(byte: u64, kind: libc::c_int) -> io::Result<libc::flock> {
    let beyond = |_| io::Error::new(io::ErrorKind::InvalidInput, "no file has such a byte");
    Ok(libc::flock {
        l_type: libc::c_short::try_from(kind).expect("the three kinds of lock are 0, 1 and 2"),
        l_whence: libc::c_short::try_from(libc::SEEK_SET).expect("it is 0"),
        l_start: libc::off_t::try_from(byte).map_err(beyond)?,
        l_len: 1,
        l_pid: 0,
    })
}
