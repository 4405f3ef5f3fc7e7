//! Words of memory shared with other processes through a mapped file. It owns the mapping; what the
//! words mean is for others.
//!
//! 1. The range is mapped from `new` until drop: its addresses stay good whatever is attached,
//!    detached or happens to the file.
//! 2. Zeros mean "gone". A file that fails under the mapping makes the whole range zeros, once for
//!    all threads, and what was written since went nowhere. So whoever writes looks afterwards at a
//!    word that a living file never has at zero, and nobody writes that word here.
//! 3. The zeros of a failing file may also strike one attached in that same moment.
//! 4. Other processes see the words as atomics too; nothing else of the file is read through memory.

#![expect(unsafe_code, reason = "memory that a file, and other processes, stand behind")]

use super::fault::{self, Watched};
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;

/// A fixed number of 64-bit words: a file's once one is attached, zeros of this process's own else.
pub(crate) struct Shared {
    words: usize,
    /// Dropped before the range is given back.
    _watched: Watched,
    range: Range,
}

/// Addresses of this process's own, in whole pages.
struct Range {
    start: NonNull<AtomicU64>,
    length: usize,
}

// SAFETY: it is memory without ties to a thread, and all that is given out are atomics.
unsafe impl Send for Range {}
// SAFETY: as above.
unsafe impl Sync for Range {}

impl Shared {
    /// Reserves the range, as zeros.
    pub(crate) fn new(words: usize) -> io::Result<Self> {
        fault::install()?;
        let range = Range::new(words)?;
        // SAFETY: the range is mapped longer than it is watched, in whole pages, and all that it
        // gives out are atomics, which may become zeros at any time (2).
        let watched = unsafe { Watched::new(range.start.as_ptr() as usize, range.length)? };
        Ok(Self { words, _watched: watched, range })
    }

    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the range has at least that many words, is aligned to pages, and is mapped for
        // reading and writing as long as `self` lives (1). All of its bits may be anything.
        unsafe { slice::from_raw_parts(self.range.start.as_ptr(), self.words) }
    }

    /// Puts the file's content in place, in one step. The file is open for reading and writing, and
    /// is long enough.
    pub(crate) fn attach(&self, file: &File) -> io::Result<()> {
        fault::install()?;
        let needed = size_of::<AtomicU64>() * self.words;
        if file.metadata()?.len() < u64::try_from(needed).expect("addresses have 64 bits at most") {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the file to be shared has less than {needed} bytes"),
            ));
        }
        // What can't be mapped is found out elsewhere: a refusal in place could leave a hole (1).
        // SAFETY: the kernel chooses a free range.
        drop(unsafe {
            Range::map(ptr::null_mut(), self.range.length, libc::MAP_SHARED, Some(file))
        }?);
        let flags = libc::MAP_SHARED | libc::MAP_FIXED;
        let start = self.range.start.as_ptr();
        // SAFETY: the range is ours, and all that is given out are atomics, which may change.
        match unsafe { Range::map(start, self.range.length, flags, Some(file)) } {
            Ok(same) => std::mem::forget(same),
            Err(error) => {
                self.detach()?;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Puts zeros in place, in one step.
    pub(crate) fn detach(&self) -> io::Result<()> {
        // SAFETY: the range is ours, and all that is given out are atomics, which may change.
        let done =
            unsafe { fault::put_zeros(self.range.start.as_ptr() as usize, self.range.length) };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits until what was written so far is on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        // SAFETY: the range is mapped, in whole pages (1).
        match unsafe {
            libc::msync(self.range.start.as_ptr().cast(), self.range.length, libc::MS_SYNC)
        } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Range {
    fn new(words: usize) -> io::Result<Self> {
        let length = words
            .checked_mul(size_of::<AtomicU64>())
            .and_then(|length| length.checked_next_multiple_of(fault::page()))
            .filter(|length| *length > 0)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: the kernel chooses a free range.
        unsafe { Self::map(ptr::null_mut(), length, flags, None) }
    }

    /// # Safety
    ///
    /// With `MAP_FIXED`, what is mapped there may be replaced.
    unsafe fn map(
        at: *mut AtomicU64,
        length: usize,
        flags: c_int,
        file: Option<&File>,
    ) -> io::Result<Self> {
        let file = file.map_or(-1, AsRawFd::as_raw_fd);
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the caller vouches for what may be replaced.
        let start = unsafe { libc::mmap(at.cast(), length, protection, flags, file, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { start, length })
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        // SAFETY: the range is ours, and nobody uses it any more: all borrows end before.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// Has a function run when the process ends by returning from `main` or by `exit`, also in a process
/// made by a bare `fork`. The first function given is the one; a panic in it is lost.
pub(crate) fn at_exit(run: fn()) -> io::Result<()> {
    static RUN: OnceLock<fn()> = OnceLock::new();

    extern "C" fn leave() {
        if let Some(run) = RUN.get() {
            let _ = std::panic::catch_unwind(run);
        }
    }

    if RUN.set(run).is_err() {
        return Ok(());
    }
    // SAFETY: the function is there as long as the program, takes nothing and never unwinds.
    match unsafe { libc::atexit(leave) } {
        0 => Ok(()),
        _ => Err(io::ErrorKind::OutOfMemory.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::{Child, Folder, role};
    use std::fs::{self, OpenOptions};
    use std::path::Path;
    use std::sync::atomic::Ordering::SeqCst;

    /// As many words as fit three pages of 4 KiB.
    const WORDS: usize = 3 * 512;

    /// A file whose words are 1, 2, 3, and so on.
    fn numbered(path: &Path) -> File {
        let words = 1..=u64::try_from(WORDS).unwrap();
        fs::write(path, words.flat_map(u64::to_ne_bytes).collect::<Vec<_>>()).unwrap();
        open(path)
    }

    fn open(path: &Path) -> File {
        OpenOptions::new().read(true).write(true).open(path).unwrap()
    }

    fn word(shared: &Shared, at: usize) -> u64 {
        shared.words()[at].load(SeqCst)
    }

    fn are_zeros(shared: &Shared) -> bool {
        shared.words().iter().all(|word| word.load(SeqCst) == 0)
    }

    #[test]
    fn words_begin_as_zeros() {
        let shared = Shared::new(WORDS).unwrap();
        assert_eq!(shared.words().len(), WORDS);
        assert!(are_zeros(&shared));
        shared.words()[WORDS - 1].store(7, SeqCst);
        assert_eq!(word(&shared, WORDS - 1), 7);
    }

    #[test]
    fn no_words_and_too_many_are_an_error() {
        for words in [0, usize::MAX, usize::MAX / 8, 1 << 28] {
            assert!(Shared::new(words).is_err(), "{words}");
        }
    }

    #[test]
    fn all_who_attach_a_file_share_its_words() {
        let folder = Folder::new();
        let file = numbered(&folder.path().join("words"));
        let [here, there] = [(); 2].map(|()| Shared::new(WORDS).unwrap());
        here.attach(&file).unwrap();
        there.attach(&file).unwrap();
        assert_eq!(word(&here, 0), 1);
        assert_eq!(here.words()[WORDS - 1].fetch_add(10, SeqCst), 1_536);
        assert_eq!(word(&there, WORDS - 1), 1_546);
    }

    #[test]
    fn a_process_sees_what_another_writes() {
        if let Some(path) = role() {
            let shared = Shared::new(WORDS).unwrap();
            shared.attach(&open(&path.join("words"))).unwrap();
            shared.words()[5].store(77, SeqCst);
            return;
        }
        let folder = Folder::new();
        let shared = Shared::new(WORDS).unwrap();
        shared.attach(&numbered(&folder.path().join("words"))).unwrap();
        Child::start(module_path!(), "a_process_sees_what_another_writes", &folder).end();
        assert_eq!(word(&shared, 5), 77);
    }

    #[test]
    fn words_stay_where_they_are_whatever_is_attached() {
        let folder = Folder::new();
        let shared = Shared::new(WORDS).unwrap();
        let words = shared.words();
        shared.attach(&numbered(&folder.path().join("first"))).unwrap();
        assert_eq!(words[1].load(SeqCst), 2);
        let second = numbered(&folder.path().join("second"));
        shared.attach(&second).unwrap();
        words[1].store(22, SeqCst);
        shared.detach().unwrap();
        assert!(are_zeros(&shared));
        shared.attach(&second).unwrap();
        assert_eq!(words[1].load(SeqCst), 22);
        let first = fs::read(folder.path().join("first")).unwrap();
        assert_eq!(first[8..16], 2_u64.to_ne_bytes());
    }

    #[test]
    fn what_is_synced_is_in_the_file() {
        let folder = Folder::new();
        let path = folder.path().join("words");
        let shared = Shared::new(WORDS).unwrap();
        shared.sync().unwrap();
        shared.attach(&numbered(&path)).unwrap();
        shared.words()[0].store(99, SeqCst);
        shared.sync().unwrap();
        assert_eq!(fs::read(&path).unwrap()[..8], 99_u64.to_ne_bytes());
    }

    #[test]
    fn a_file_that_is_not_fit_leaves_things_as_they_are() {
        let folder = Folder::new();
        let shared = Shared::new(WORDS).unwrap();
        let path = folder.path().join("words");
        shared.attach(&numbered(&path)).unwrap();
        let read_only = File::open(&path).unwrap();
        assert!(shared.attach(&read_only).is_err());
        let short = numbered(&folder.path().join("short"));
        short.set_len(u64::try_from(WORDS * 8 - 1).unwrap()).unwrap();
        let error = shared.attach(&short).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(shared.attach(&File::open(folder.path()).unwrap()).is_err());
        assert_eq!(word(&shared, WORDS - 1), 1_536);
    }

    #[test]
    fn a_file_cut_short_by_another_process_becomes_zeros_for_all_threads() {
        if let Some(path) = role() {
            let shared = Shared::new(WORDS).unwrap();
            shared.attach(&open(&path.join("words"))).unwrap();
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let words = shared.words();
                    scope.spawn(move || {
                        let all = (0..WORDS).cycle().skip(thread * 512);
                        let mut gone = all.filter(|at| words[*at].load(SeqCst) == 0);
                        assert!(gone.next().is_some());
                    });
                }
                Child::say("reading");
            });
            assert!(are_zeros(&shared));
            return;
        }
        let folder = Folder::new();
        let file = numbered(&folder.path().join("words"));
        let name = "a_file_cut_short_by_another_process_becomes_zeros_for_all_threads";
        let mut child = Child::start(module_path!(), name, &folder);
        child.hear("reading");
        file.set_len(0).unwrap();
        child.end();
    }

    #[test]
    fn where_a_part_is_missing_all_becomes_zeros_and_a_whole_file_can_be_attached_again() {
        if let Some(path) = role() {
            let shared = Shared::new(WORDS).unwrap();
            let file = numbered(&path.join("words"));
            shared.attach(&file).unwrap();
            file.set_len(1).unwrap();
            assert_eq!(word(&shared, 0), 1, "its first byte is still there");
            shared.words()[WORDS - 1].store(5, SeqCst);
            assert_eq!(word(&shared, 0), 0);
            assert_eq!(word(&shared, WORDS - 1), 5, "what is written now is nobody else's");
            assert_eq!(file.metadata().unwrap().len(), 1);
            shared.attach(&numbered(&path.join("another"))).unwrap();
            assert_eq!(word(&shared, WORDS - 1), 1_536);
            return;
        }
        let name =
            "where_a_part_is_missing_all_becomes_zeros_and_a_whole_file_can_be_attached_again";
        Child::start(module_path!(), name, &Folder::new()).end();
    }

    #[test]
    fn other_shared_words_are_left_alone_by_a_failing_file() {
        if let Some(path) = role() {
            let [whole, cut] = [(); 2].map(|()| Shared::new(WORDS).unwrap());
            whole.attach(&numbered(&path.join("whole"))).unwrap();
            let file = numbered(&path.join("cut"));
            cut.attach(&file).unwrap();
            file.set_len(0).unwrap();
            assert!(are_zeros(&cut));
            assert_eq!(word(&whole, WORDS - 1), 1_536);
            return;
        }
        let name = "other_shared_words_are_left_alone_by_a_failing_file";
        Child::start(module_path!(), name, &Folder::new()).end();
    }

    #[test]
    fn a_thousand_can_be_there_at_once_and_then_it_is_an_error() {
        // The table is the process's: other tests would find it full.
        if role().is_some() {
            let mut all: Vec<_> = (0..1_024).map(|_| Shared::new(1).unwrap()).collect();
            assert!(Shared::new(1).is_err_and(|error| error.to_string().contains("1024")));
            all.pop();
            let last = Shared::new(1).unwrap();
            assert_eq!(word(&last, 0), 0);
            return;
        }
        let name = "a_thousand_can_be_there_at_once_and_then_it_is_an_error";
        Child::start(module_path!(), name, &Folder::new()).end();
    }

    fn leave_a_note() {
        let path = role().expect("only children end with this");
        let note = OpenOptions::new().create(true).append(true).open(path.join("note"));
        io::Write::write_all(&mut note.unwrap(), b"bye").unwrap();
        panic!("lost");
    }

    #[test]
    fn what_is_to_run_at_exit_runs_when_main_returns() {
        if role().is_some() {
            at_exit(leave_a_note).unwrap();
            at_exit(|| panic!("only the first one runs")).unwrap();
            return;
        }
        let folder = Folder::new();
        let name = "what_is_to_run_at_exit_runs_when_main_returns";
        Child::start(module_path!(), name, &folder).end();
        assert_eq!(fs::read(folder.path().join("note")).unwrap(), b"bye");
    }
}
