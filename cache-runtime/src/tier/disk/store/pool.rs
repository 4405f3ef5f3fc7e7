//! The connections that read: each is used by one thread at a time, and none is waited for.
//!
//! 1. A connection is only reached through its slot's lock, held for as long as it is used.
//! 2. Nobody waits for a slot: where all are taken, as by reads within reads, a connection is
//!    opened for this one time.
//! 3. A connection that met a fault of its file is not used again.

use super::fault::Fault;
use super::file::File;
use crate::sync::{Mutex, thread_local};
use rusqlite::Connection;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

#[derive(Debug)]
pub(super) struct Readers {
    file: File,
    slots: Box<[Mutex<Option<Connection>>]>,
}

impl Readers {
    pub(super) fn new(file: File) -> Self {
        let threads = thread::available_parallelism().map_or(4, usize::from);
        let slots = (0..(4 * threads).clamp(16, 64)).map(|_| Mutex::new(None)).collect();
        Self { file, slots }
    }

    pub(super) fn read<R>(
        &self,
        f: impl FnOnce(&Connection) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let home = home() % self.slots.len();
        let (before, from) = self.slots.split_at(home);
        let Some(mut slot) = from.iter().chain(before).find_map(Mutex::try_lock) else {
            return f(&self.file.reader()?);
        };
        if slot.is_none() {
            *slot = Some(self.file.reader()?);
        }
        let connection = slot.as_ref().expect("it was put there if it was missing");
        let found = f(connection);
        if found.as_ref().is_err_and(|fault| !fault.spares_the_connection()) {
            *slot = None;
        }
        found
    }
}

/// The slot that this thread tries first: as long as threads are few, each has its own.
fn home() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static HOME: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    HOME.with(|home| {
        if home.get() == usize::MAX {
            home.set(NEXT.fetch_add(1, Relaxed));
        }
        home.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{env, fs, process};

    #[test]
    fn a_connection_that_met_a_fault_of_its_file_is_not_used_again() {
        let path = env::temp_dir().join(format!("larder-readers-{}", process::id()));
        let file = File::new(&path, 0, true).unwrap();
        let writer = file.writer().unwrap();
        let readers = Readers::new(file);
        let marked = || {
            let marked = |connection: &Connection| {
                let size =
                    connection.query_row("PRAGMA cache_size", [], |row| row.get::<_, i64>(0));
                Ok(size? == -77)
            };
            readers.read(marked).unwrap()
        };
        let mark = |fault: Fault| {
            let marked = readers.read(|connection| -> Result<(), Fault> {
                connection.execute_batch("PRAGMA cache_size = -77")?;
                Err(fault.clone())
            });
            assert_eq!(marked, Err(fault.clone()));
        };
        mark(Fault::Busy("a moment".into()));
        assert!(marked(), "it is kept for the next");
        mark(Fault::Damaged("a page".into()));
        assert!(!marked(), "it is another one");
        drop((readers, writer));
        fs::remove_file(path).unwrap();
    }
}
