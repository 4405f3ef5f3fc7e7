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
        let slots = (0..(2 * threads).clamp(4, 32)).map(|_| Mutex::new(None)).collect();
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
