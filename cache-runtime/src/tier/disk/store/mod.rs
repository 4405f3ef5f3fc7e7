//! The store: rows of bytes and numbers in one file, shared by the processes of a machine.
//!
//! It knows nothing of envelopes, versions or marks: whoever reads bytes must judge them. It owns
//! the file, its connections and its bounds; who opens it where, and what becomes of a damaged one,
//! is decided above.
//!
//! 1. No content of the file makes it panic: what it finds is bytes or a [`Fault`].
//! 2. A reader never waits for a writer, nor for room to be made. What a read sees may be some reads
//!    old, as old as the last `release`, or as the first of those it is made with, and says so; it has all
//!    that this process has changed.
//! 3. One connection of a process writes at a time; processes take turns.
//! 4. File and log stay within their bounds; what doesn't fit is refused.

mod batch;
mod bounds;
mod evict;
mod fault;
mod file;
mod index;
mod pool;
mod scan;
#[cfg(test)]
mod tests;

pub(crate) use batch::Batch;
pub(crate) use bounds::LEAST;
pub(crate) use evict::Evicted;
pub(crate) use fault::Fault;
pub(crate) use pool::{State, Together};
pub(crate) use scan::Row;

use crate::sync::Mutex;
use evict::Survey;
use file::{File, retried};
use pool::Readers;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

const READ: &str = "SELECT envelope FROM entries WHERE id = ?1";

/// A row as a read found it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// Nothing if there is no such row.
    pub(crate) envelope: Option<&'a [u8]>,
    /// What the caller noted before it became certain that this is what is found.
    pub(crate) note: u64,
    pub(crate) state: State,
}

/// How long a writer tries to get its turn, and room in the log. Who is in its way for longer is
/// stuck.
const PATIENCE: Duration = Duration::from_secs(2);
const LESS_PATIENCE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Store {
    file: File,
    readers: Readers,
    writer: Mutex<Connection>,
    /// The bytes of the log when it could not be emptied; zero once it has been.
    stuck_at: AtomicU64,
}

impl Store {
    /// Opens the store in this file, which is made if it is missing or empty. File and log together
    /// stay within 1.1 times the limit, in bytes; one below 4 MiB counts as 4 MiB.
    pub(crate) fn open(path: &Path, limit: u64) -> Result<Self, Fault> {
        Self::with(File::new(path, limit, true)?)
    }

    /// Opens the store without mapping the file into memory: reads cost half as much again, and a
    /// file that another program cuts short is a fault rather than a signal.
    #[cfg(test)]
    pub(crate) fn open_unmapped(path: &Path, limit: u64) -> Result<Self, Fault> {
        Self::with(File::new(path, limit, false)?)
    }

    fn with(file: File) -> Result<Self, Fault> {
        let writer = file.writer()?;
        writer.prepare_cached(READ)?;
        let readers = Readers::new(file.clone());
        let stuck_at = AtomicU64::new(0);
        Ok(Self { file, readers, writer: Mutex::new(writer), stuck_at })
    }

    /// Reads an envelope where it lies. `f` runs within a transaction, which keeps the log from being
    /// emptied: it should be short. `note` is asked before a transaction begins. An error of `f`
    /// says that what it found is of no use.
    pub(crate) fn read<R, E>(
        &self,
        id: u64,
        state: State,
        note: impl FnOnce() -> u64,
        f: impl FnOnce(Found<'_>) -> Result<R, E>,
    ) -> Result<Result<R, E>, Fault> {
        self.readers.read_in(state, note, |connection, note, state| {
            let mut statement = connection.prepare_cached(READ)?;
            let mut rows = statement.query([ordered(id)])?;
            let Some(row) = rows.next()? else {
                return Ok(f(Found { envelope: None, note, state }));
            };
            let envelope = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
            Ok(f(Found { envelope: Some(envelope), note, state }))
        })
    }

    /// Reads the first bytes of an envelope, and no page beyond them.
    pub(crate) fn read_prefix(&self, id: u64, length: usize) -> Result<Option<Vec<u8>>, Fault> {
        self.readers.read(|connection| scan::prefix(connection, id, length))
    }

    /// Reads the next rows behind an id, or the first ones, with the beginnings of their envelopes.
    pub(crate) fn scan(
        &self,
        after: Option<u64>,
        count: usize,
        prefix: usize,
    ) -> Result<Vec<Row>, Fault> {
        self.readers.read(|connection| scan::scan(connection, after, count, prefix))
    }

    /// Changes rows together. What `f` does is kept if it returns `Ok`, and undone otherwise.
    pub(crate) fn batch<R>(
        &self,
        f: impl FnOnce(&Batch<'_>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let writer = self.writer.lock();
        let change = self.begin(&writer, self.file.bounds.log())?;
        self.make(change, self.file.bounds.transaction(), f)
    }

    /// The same for one row that may be large.
    pub(crate) fn alone<R>(
        &self,
        f: impl FnOnce(&Batch<'_>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let writer = self.writer.lock();
        let change = self.begin(&writer, 0)?;
        self.make(change, self.file.bounds.alone(), f)
    }

    fn make<R>(
        &self,
        change: Transaction<'_>,
        pages: u64,
        f: impl FnOnce(&Batch<'_>) -> Result<R, Fault>,
    ) -> Result<R, Fault> {
        let batch = Batch::new(&change, pages);
        let returned = f(&batch)?;
        batch.outcome()?;
        change.commit()?;
        self.readers.changed();
        Ok(returned)
    }

    /// Takes one step towards the bounds, if one is due.
    pub(crate) fn make_room(&self, now: u64) -> Result<Evicted, Fault> {
        let writer = self.writer.lock();
        let before = Survey::of(&writer)?;
        if !before.is_due(now, self.file.bounds) {
            return Ok(Evicted::default());
        }
        let change = self.begin(&writer, self.file.bounds.log())?;
        let step = evict::step(&change, now, self.file.bounds)?;
        change.commit()?;
        self.readers.changed();
        if step.gave_back && !step.evicted.more {
            // The file is cut only when the log is copied to it.
            unless_busy(self.empty_log(&writer))?;
        }
        Ok(step.evicted)
    }

    /// Removes all rows and gives their space back.
    #[cfg(test)]
    pub(crate) fn purge(&self) -> Result<(), Fault> {
        let writer = self.writer.lock();
        let change = self.begin(&writer, self.file.bounds.log())?;
        change.execute_batch("DELETE FROM entries")?;
        change.commit()?;
        self.readers.changed();
        drop(writer);
        while self.make_room(0)?.more {}
        Ok(())
    }

    /// The bytes in use, without those that are free for reuse.
    #[cfg(test)]
    pub(crate) fn used(&self) -> Result<u64, Fault> {
        self.readers.read(|connection| Ok(Survey::of(connection)?.used()))
    }

    /// The number of rows. It is counted, so it takes its time.
    #[cfg(test)]
    pub(crate) fn len(&self) -> Result<u64, Fault> {
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT count(*) FROM entries")?;
            Ok(statement.query_row([], |row| row.get(0))?)
        })
    }

    /// Copies the log to the file and empties it, as before closing.
    pub(crate) fn checkpoint(&self) -> Result<(), Fault> {
        let writer = self.writer.lock();
        retried(PATIENCE, || self.empty_log(&writer))
    }

    /// Copies to the file what readers let it copy of the log, and says whether that was all. From the
    /// file, reads cost less, and those of several threads don't wait for each other.
    pub(crate) fn settle(&self) -> Result<bool, Fault> {
        let writer = self.writer.lock();
        let pages = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let (all, copied) = writer.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], pages)?;
        Ok(all == copied)
    }

    /// Whether somebody keeps the log from being emptied.
    pub(crate) fn is_crowded(&self) -> bool {
        self.stuck_at.load(Relaxed) > 0
    }

    /// Says that `release` is going to be called now and then. Until then, reads keep nothing open.
    pub(crate) fn tend(&self) {
        self.readers.tend();
    }

    /// Ends what reads of this process keep open without using it, and says whether there was any.
    pub(crate) fn release(&self) -> bool {
        self.readers.release()
    }

    /// How many changes this process has made.
    pub(crate) fn changes(&self) -> u64 {
        self.readers.changes()
    }

    /// Starts a transaction once the log has room for it. No other process can add to the log
    /// between this look at it and the end of the transaction.
    fn begin<'a>(&self, writer: &'a Connection, most: u64) -> Result<Transaction<'a>, Fault> {
        // Who has been in the way for so long is not waited for each time.
        let patience = if self.is_crowded() { LESS_PATIENCE } else { PATIENCE };
        let mut log = 0;
        let begun = retried(patience, || {
            for _ in 0..2 {
                // Whoever has the turn may be waiting for it.
                self.readers.release();
                let change = Transaction::new_unchecked(writer, TransactionBehavior::Immediate)?;
                log = fs::metadata(self.file.log()).map_or(0, |log| log.len());
                if log <= most {
                    return Ok(change);
                }
                change.rollback()?;
                self.empty_log(writer)?;
            }
            Err(Fault::Busy("others fill the log as fast as it is emptied".into()))
        });
        match begun {
            // It has been emptied since, by whomever.
            Ok(_) if log < self.stuck_at.load(Relaxed) => self.stuck_at.store(0, Relaxed),
            Err(_) if log > most => self.stuck_at.store(log, Relaxed),
            Ok(_) | Err(_) => {}
        }
        begun
    }

    /// Copies the log to the file and cuts it to nothing.
    fn empty_log(&self, writer: &Connection) -> Result<(), Fault> {
        self.readers.release();
        let busy: bool =
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy {
            return Err(Fault::Busy("readers or writers keep the log from being emptied".into()));
        }
        Ok(())
    }
}

/// Leaves to a later time what others are in the way of.
fn unless_busy(done: Result<(), Fault>) -> Result<(), Fault> {
    match done {
        Err(Fault::Busy(_)) => Ok(()),
        done => done,
    }
}

/// The order of the numbers is kept, as the file knows signed ones only.
fn ordered(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

fn disordered(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}
