//! One at a time, of all threads of all processes that opened a file: for those who invalidate.
//!
//! 1. The process's mutex is taken before the kernel's lock, which knows openings, not threads, and
//!    given back after it.
//! 2. A process that dies while holding it, in whatever way, holds it no more.

use super::kernel_lock::{self, Mode};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The only byte that is locked.
const BYTE: u64 = 0;

/// A lock shared with other processes.
pub(crate) struct Exclusive {
    file: File,
    threads: Mutex<()>,
}

/// Holds the lock until dropped.
#[must_use = "a guard that is dropped holds nothing"]
pub(crate) struct Guard<'a> {
    file: &'a File,
    /// Given back after the kernel's lock: fields are dropped after `drop` has run (1).
    _thread: MutexGuard<'a, ()>,
}

impl Exclusive {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: kernel_lock::open(path)?, threads: Mutex::default() })
    }

    /// Waits until nobody else holds it. Taking it twice in one thread never returns.
    pub(crate) fn lock(&self) -> io::Result<Guard<'_>> {
        let thread = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        kernel_lock::lock(&self.file, BYTE, Mode::Exclusive)?;
        Ok(Guard { file: &self.file, _thread: thread })
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // One byte is one range, and giving back all of a range takes no memory.
        let _ = kernel_lock::unlock(self.file, BYTE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tier::disk::child::{Child, Folder, role};
    use std::fs;

    const ROUNDS: u32 = 200;

    /// Adds to a number in a file, by reading and writing it: what is not excluded gets lost.
    fn count_up(folder: &Path, lock: &Exclusive) {
        let number = folder.join("number");
        for _ in 0..ROUNDS {
            let _guard = lock.lock().unwrap();
            let old: u32 = fs::read_to_string(&number).unwrap().parse().unwrap();
            fs::write(&number, (old + 1).to_string()).unwrap();
        }
    }

    #[test]
    fn threads_of_several_processes_come_one_at_a_time() {
        if let Some(path) = role() {
            count_up(&path, &Exclusive::open(&path.join("lock")).unwrap());
            return;
        }
        let folder = Folder::new();
        fs::write(folder.path().join("number"), "0").unwrap();
        let lock = Exclusive::open(&folder.path().join("lock")).unwrap();
        let name = "threads_of_several_processes_come_one_at_a_time";
        let children = [(); 2].map(|()| Child::start(module_path!(), name, &folder));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| count_up(folder.path(), &lock));
            }
        });
        children.into_iter().for_each(Child::end);
        let number = fs::read_to_string(folder.path().join("number")).unwrap();
        assert_eq!(number, (5 * ROUNDS).to_string());
    }

    #[test]
    fn a_holder_that_is_killed_holds_it_no_more() {
        if let Some(path) = role() {
            let lock = Exclusive::open(&path.join("lock")).unwrap();
            let _guard = lock.lock().unwrap();
            Child::say("held");
            Child::await_end();
            return;
        }
        let folder = Folder::new();
        let path = folder.path().join("lock");
        let lock = Exclusive::open(&path).unwrap();
        let name = "a_holder_that_is_killed_holds_it_no_more";
        let mut child = Child::start(module_path!(), name, &folder);
        child.hear("held");
        assert!(!kernel_lock::try_lock(&lock.file, BYTE, Mode::Exclusive).unwrap());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| drop(lock.lock().unwrap()));
            child.kill();
            waiting.join().unwrap();
        });
    }
}
