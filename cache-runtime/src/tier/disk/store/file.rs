//! The file: what makes it a store, and how connections to it are opened.
//!
//! 1. A file that is not a store is not changed.
//! 2. However many processes open a new store at once, it is made once, whole.
//! 3. No statement is prepared before the file is known to be a store.

use super::bounds::{Bounds, PAGE};
use super::fault::Fault;
use super::index;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// The first version of `SQLite` in which a checkpoint and a writer at the same moment can't damage
/// the file.
const OLDEST: i32 = 3_051_003;

/// Marks the file as a store: "Lard".
const APPLICATION: i32 = 0x4c61_7264;
const SCHEMA: i32 = 1;

/// The envelope stands last, so that the numbers before it are found without reading on. Expired
/// rows and oldest rows each have an index: as lifetimes are alike and time goes on, both grow at
/// their ends, which costs little.
const TABLE: &str = "
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY,
        expires INTEGER NOT NULL,
        created INTEGER NOT NULL,
        stamp INTEGER NOT NULL,
        envelope BLOB NOT NULL
    );
    CREATE INDEX entries_expires ON entries (expires);
    CREATE INDEX entries_created ON entries (created);
";

/// How long a writer waits for others, each time it tries.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long a reader waits where the log is just being recovered or removed.
const READER_PATIENCE: Duration = Duration::from_millis(50);
/// How long opening is tried while others are in the way, as where many open a new store at once.
/// `SQLite` itself does not wait where it fears a deadlock, nor for locks that it holds to be free.
const OPENING: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(super) struct File {
    path: PathBuf,
    pub(super) bounds: Bounds,
    mapped: bool,
}

fn new_enough(version: i32) -> Result<(), Fault> {
    if version >= OLDEST {
        return Ok(());
    }
    let [linked, needed] = [version, OLDEST]
        .map(|it| format!("{}.{}.{}", it / 1_000_000, it / 1_000 % 1_000, it % 1_000));
    let why = format!("SQLite {linked} is linked, and at least {needed} is needed");
    Err(Fault::Unavailable(why.into()))
}

/// What a file turns out to be.
enum Found {
    Nothing,
    Store,
}

impl File {
    pub(super) fn new(path: &Path, limit: u64, mapped: bool) -> Result<Self, Fault> {
        new_enough(rusqlite::version_number())?;
        Ok(Self { path: path.to_owned(), bounds: Bounds::new(limit), mapped })
    }

    /// The file of the log.
    pub(super) fn log(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push("-wal");
        path.into()
    }

    /// Opens the connection that writes; makes a store of a file that is missing or empty.
    pub(super) fn writer(&self) -> Result<Connection, Fault> {
        retried(OPENING, || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            let connection = self.open(flags, PATIENCE)?;
            if connection.is_readonly("main")? {
                return Err(Fault::Unavailable("the file can't be written".into()));
            }
            let look = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred)?;
            let found = found(&look)?;
            look.finish()?;
            if let Found::Nothing = found {
                make(&connection)?;
            }
            self.prepare_to_write(&connection)?;
            Ok(connection)
        })
    }

    /// Opens a connection that reads. There must be a store, and a writer to it.
    pub(super) fn reader(&self) -> Result<Connection, Fault> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY, READER_PATIENCE)?;
        connection.execute_batch("PRAGMA cache_size = -256;")?;
        Ok(connection)
    }

    fn open(&self, flags: OpenFlags, patience: Duration) -> Result<Connection, Fault> {
        // A connection is never shared by two threads at once: its own lock would only cost.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        index::bound(&connection, self.bounds);
        connection.busy_timeout(patience)?;
        let mapped = if self.mapped { self.bounds.pages() * PAGE } else { 0 };
        connection.execute_batch(&format!(
            "PRAGMA mmap_size = {mapped};
             PRAGMA temp_store = MEMORY;
             PRAGMA trusted_schema = OFF;"
        ))?;
        Ok(connection)
    }

    fn prepare_to_write(&self, connection: &Connection) -> Result<(), Fault> {
        write_ahead(connection)?;
        let (pages, checkpoint) = (self.bounds.pages(), self.bounds.checkpoint());
        connection.execute_batch(&format!(
            "PRAGMA synchronous = NORMAL;
             PRAGMA cache_size = -4096;
             PRAGMA max_page_count = {pages};
             PRAGMA wal_autocheckpoint = {checkpoint};
             PRAGMA journal_size_limit = {};",
            checkpoint * PAGE,
        ))?;
        Ok(())
    }
}

/// Looks at the file within one transaction, as another process may be making a store of it.
fn found(look: &Transaction<'_>) -> Result<Found, Fault> {
    let number = |pragma| look.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let marks = (number("application_id")?, number("user_version")?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    match (marks, look.query_row(tables, [], |row| row.get::<_, i64>(0))?) {
        ((APPLICATION, SCHEMA), _) => Ok(Found::Store),
        ((0, 0), 0) => Ok(Found::Nothing),
        ((APPLICATION, version), _) => {
            let why = format!("it is a store of version {version}, not {SCHEMA}");
            Err(Fault::Damaged(why.into()))
        }
        _ => Err(Fault::Damaged("it is another program's database".into())),
    }
}

fn make(connection: &Connection) -> Result<(), Fault> {
    // Both must be said before the first page is written, which the change to a log does.
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE};
         PRAGMA auto_vacuum = INCREMENTAL;"
    ))?;
    write_ahead(connection)?;
    let make = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    if let Found::Nothing = found(&make)? {
        make.execute_batch(TABLE)?;
        make.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION};
             PRAGMA user_version = {SCHEMA};"
        ))?;
    }
    make.commit()?;
    Ok(())
}

fn write_ahead(connection: &Connection) -> Result<(), Fault> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::Unavailable("the file system has no shared memory".into()));
    }
    Ok(())
}

/// Does it again while others are in the way, for about as long as the patience lasts.
pub(super) fn retried<R>(
    patience: Duration,
    mut work: impl FnMut() -> Result<R, Fault>,
) -> Result<R, Fault> {
    let start = Instant::now();
    let mut pause = 1;
    loop {
        match work() {
            Err(Fault::Busy(_)) if start.elapsed() < patience => {
                thread::sleep(Duration::from_millis(pause));
                pause = 25.min(pause + 1);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sqlite_that_can_damage_the_file_is_refused() {
        let Err(Fault::Unavailable(why)) = new_enough(3_051_002) else { panic!("it was taken") };
        assert_eq!(&*why, "SQLite 3.51.2 is linked, and at least 3.51.3 is needed");
        assert_eq!(new_enough(OLDEST), Ok(()));
    }
}
