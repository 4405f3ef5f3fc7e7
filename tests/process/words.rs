//! Words of memory that processes share, and that outlive them: a file, mapped.

#![expect(unsafe_code, reason = "a mapped file is raw memory")]

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::OpenOptions;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::AtomicU64;

/// Zeros where nothing has been written yet.
pub(crate) struct Words {
    start: NonNull<AtomicU64>,
    count: usize,
}

// SAFETY: memory without ties to a thread, of which only atomics are given out.
unsafe impl Send for Words {}
// SAFETY: as above.
unsafe impl Sync for Words {}

impl Words {
    /// Maps a file, which is made if there is none.
    pub(crate) fn map(path: &Path, count: usize) -> Self {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path).unwrap();
        let length = count * size_of::<AtomicU64>();
        file.set_len(length as u64).unwrap();
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses a free range, and no test makes the file shorter.
        let start = unsafe {
            mmap(ptr::null_mut(), length, protection, MapFlags::SHARED, &file, 0).unwrap()
        };
        Self { start: NonNull::new(start.cast()).unwrap(), count }
    }

    pub(crate) fn all(&self) -> &[AtomicU64] {
        // SAFETY: it is that many words, mapped until this is dropped, and any bits are a word.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, and nobody has a borrow any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.count * size_of::<AtomicU64>()) };
    }
}
