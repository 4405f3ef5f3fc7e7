//! The connections that read: each is used by one thread at a time, and none is waited for.
//!
//! 1. A connection is only reached through its slot's lock, held for as long as it is used.
//! 2. Nobody waits for a slot: where all are taken, as by reads within reads, a connection is
//!    opened for this one time.
//! 3. A connection that met a fault of its file is not used again.
//! 4. A transaction may outlast the read that began it, since to begin one costs more than to read.
//!    It ends after some reads, with a read that was in vain, with the next change of this process,
//!    and whenever `release` finds it idle; unless somebody calls that now and then, none is kept.
//! 5. Reads that are made together are in one, however many they are and of whatever use, unless one of them
//!    asks for the latest state: those after it are in the next.

use super::fault::Fault;
use super::file::File;
use crate::sync::{Mutex, thread_local};
use rusqlite::Connection;
use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::thread;

/// How many reads a transaction is for. With so many, to begin it costs each of them little.
pub(super) const MOST_READS: u32 = 64;

/// Which state of the store a read is to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// One that may lack what other processes changed a moment ago. What this process has changed is
    /// in it.
    Recent,
    /// As it was when the first of the reads was made that are made together. What this process has changed
    /// is in it.
    Together,
    /// As it is now.
    Latest,
}

/// Reads of this thread, from here on until this is dropped: those that may lack something see one state of
/// the store, but for what this process changes meanwhile. So do those of calls within what is read.
#[derive(Debug)]
pub(crate) struct Together {
    before: u64,
    /// Of the thread that began it.
    _here: PhantomData<*const ()>,
}

thread_local! {
    /// Which reads are made together: zero where none are.
    static TOGETHER: Cell<u64> = const { Cell::new(0) };
}

impl Together {
    pub(crate) fn begin() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let next = LAST.fetch_add(1, Relaxed) + 1;
        Self { before: TOGETHER.with(|it| it.replace(next)), _here: PhantomData }
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        TOGETHER.with(|it| it.set(self.before));
    }
}

/// The state of the store that a transaction sees.
#[derive(Debug)]
struct Snapshot {
    /// What the caller noted before it was taken.
    note: u64,
    /// How many changes this process had made before.
    changes: u64,
    reads: u32,
    /// Which reads it is for, if they are made together.
    together: u64,
}

#[derive(Debug)]
struct Reader {
    connection: Connection,
    /// Of the transaction that is open, if there is one.
    snapshot: Option<Snapshot>,
    /// Whether there is one, for who does not have the lock.
    is_kept: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
struct Slot {
    reader: Mutex<Option<Reader>>,
    /// What its reader says. Who finds the lock taken opens another connection, so nobody takes it to
    /// look.
    is_kept: Arc<AtomicBool>,
}

#[derive(Debug)]
pub(super) struct Readers {
    file: File,
    slots: Box<[Slot]>,
    /// How many changes this process has made.
    changes: AtomicU64,
    /// Whether somebody ends transactions that are idle.
    is_tended: AtomicBool,
}

impl Readers {
    pub(super) fn new(file: File) -> Self {
        let threads = thread::available_parallelism().map_or(4, usize::from);
        let slots = (0..(4 * threads).clamp(16, 64)).map(|_| Slot::default()).collect();
        Self { file, slots, changes: AtomicU64::new(0), is_tended: AtomicBool::new(false) }
    }

    /// Reads what is there now, in no transaction but what `f` begins.
    pub(super) fn read<R>(
        &self,
        f: impl FnOnce(&Connection) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        self.with(|reader| {
            reader.end()?;
            f(&reader.connection)
        })
    }

    /// Reads a state of the store. `note` is asked before a snapshot is taken; what it says goes with
    /// every read of that snapshot, and so does whether it is the latest. Where `f` finds nothing of
    /// use, nothing is kept open: what is done next takes longer than to begin anew.
    pub(super) fn read_in<R, E>(
        &self,
        state: State,
        note: impl FnOnce() -> u64,
        f: impl FnOnce(&Connection, u64, State) -> Result<Result<R, E>, Fault>,
    ) -> Result<Result<R, E>, Fault> {
        // Acquire: meets the Release in `changed`, so that a snapshot begun later has the change.
        let changes = self.changes.load(Acquire);
        let together = TOGETHER.with(Cell::get);
        self.with(|reader| {
            let kept = reader.snapshot.as_mut().filter(|it| it.changes == changes);
            let kept = kept.filter(|it| match together {
                _ if state == State::Latest => false,
                0 => it.reads < MOST_READS,
                _ => it.together == together,
            });
            let (note, state) = if let Some(kept) = kept {
                kept.reads = kept.reads.saturating_add(1);
                (kept.note, if together == 0 { State::Recent } else { State::Together })
            } else {
                reader.end()?;
                let note = note();
                if self.is_tended.load(Relaxed) {
                    reader.begin(Snapshot { note, changes, reads: 1, together })?;
                }
                (note, State::Latest)
            };
            let found = f(&reader.connection, note, state)?;
            if found.is_err() && together == 0 {
                reader.end()?;
            }
            Ok(found)
        })
    }

    fn with<R>(&self, f: impl FnOnce(&mut Reader) -> Result<R, Fault>) -> Result<R, Fault> {
        let home = home() % self.slots.len();
        let (before, from) = self.slots.split_at(home);
        for slot in from.iter().chain(before) {
            let Some(mut reader) = slot.reader.try_lock() else { continue };
            if reader.is_none() {
                *reader = Some(self.open(Arc::clone(&slot.is_kept))?);
            }
            let found = f(reader.as_mut().expect("it was put there if it was missing"));
            if found.as_ref().is_err_and(|fault| !fault.spares_the_connection()) {
                *reader = None;
            }
            return found;
        }
        f(&mut self.open(Arc::default())?)
    }

    fn open(&self, is_kept: Arc<AtomicBool>) -> Result<Reader, Fault> {
        Ok(Reader { connection: self.file.reader()?, snapshot: None, is_kept })
    }

    /// Says that this process has changed something: from here on it is seen.
    pub(super) fn changed(&self) {
        self.changes.fetch_add(1, Release);
    }

    /// How many changes this process has made.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Relaxed)
    }

    /// Says that `release` is going to be called now and then.
    pub(super) fn tend(&self) {
        self.is_tended.store(true, Relaxed);
    }

    /// Ends the transactions of connections that nobody uses at the moment. Says whether there were
    /// any.
    pub(super) fn release(&self) -> bool {
        let mut kept = false;
        for slot in self.slots.iter().filter(|slot| slot.is_kept.load(Relaxed)) {
            kept = true;
            if let Some(mut slot) = slot.reader.try_lock()
                && slot.as_mut().is_some_and(|reader| reader.end().is_err())
            {
                *slot = None;
            }
        }
        kept
    }
}

impl Reader {
    fn begin(&mut self, snapshot: Snapshot) -> Result<(), Fault> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        self.snapshot = Some(snapshot);
        self.is_kept.store(true, Relaxed);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.snapshot.take().is_some() {
            self.is_kept.store(false, Relaxed);
            let ended = self.connection.prepare_cached("COMMIT").and_then(|mut it| it.execute([]));
            // Nothing that spares the connection: who knows what it still keeps open.
            ended.map_err(|error| Fault::Unavailable(error.to_string().into()))?;
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.is_kept.store(false, Relaxed);
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
