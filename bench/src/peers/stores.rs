//! Stores of bytes on disk, used as their users would, without more than a key and a value.

use bincode::{deserialize, serialize};
use cached::{ConcurrentCached, RedbCache};
use foyer::{
    BlockEngineConfig, DeviceBuilder, FsDeviceBuilder, HybridCache, HybridCacheBuilder,
    HybridCachePolicy,
};
use rusqlite::{Connection, OpenFlags, Statement};
use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A table with a primary key, opened as larder opens its own.
pub(crate) struct Rows {
    path: PathBuf,
}

thread_local! {
    /// The statement of the one table there is while this thread lives.
    static READ: RefCell<Option<Statement<'static>>> = const { RefCell::new(None) };
}

impl Rows {
    pub(crate) fn new(folder: &Path) -> rusqlite::Result<Self> {
        let rows = Self { path: folder.join("rows.db") };
        rows.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE rows (id INTEGER PRIMARY KEY, value BLOB NOT NULL);",
            )?;
        Ok(rows)
    }

    fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.execute_batch(
            "PRAGMA synchronous = NORMAL;
             PRAGMA mmap_size = 1073741824;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -256;",
        )?;
        Ok(connection)
    }

    pub(crate) fn fill(&self, values: &[(u64, Vec<u8>)]) -> rusqlite::Result<()> {
        let mut connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let change = connection.transaction()?;
        for (id, value) in values {
            let bytes = serialize(value).expect("bytes can be encoded");
            let put = "INSERT OR REPLACE INTO rows VALUES (?1, ?2)";
            change.prepare_cached(put)?.execute((id.cast_signed(), bytes))?;
        }
        change.commit()
    }

    pub(crate) fn get(&self, id: u64) -> Vec<u8> {
        let read = |statement: &mut Statement<'_>| {
            statement.query_row([id.cast_signed()], |row| {
                Ok(deserialize(row.get_ref(0)?.as_blob()?).expect("as it was put"))
            })
        };
        READ.with_borrow_mut(|statement| {
            let found = read(statement.get_or_insert_with(|| self.prepare()));
            found.expect("put before")
        })
    }

    /// The connection is never closed, so that the statement can be kept beside it.
    fn prepare(&self) -> Statement<'static> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it was opened before");
        let connection: &'static Connection = Box::leak(Box::new(connection));
        connection.prepare("SELECT value FROM rows WHERE id = ?1").expect("there is such a table")
    }
}

/// A file for each entry.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    pub(crate) fn new(folder: &Path) -> std::io::Result<Self> {
        let folder = folder.join("files");
        fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id:016x}"))
    }

    pub(crate) fn put(&self, id: u64, value: &Vec<u8>) {
        let bytes = serialize(value).expect("bytes can be encoded");
        fs::write(self.path(id), bytes).expect("there is room");
    }

    pub(crate) fn get(&self, id: u64) -> Vec<u8> {
        let bytes = fs::read(self.path(id)).expect("put before");
        deserialize(&bytes).expect("as it was put")
    }
}

/// The store that `cached` has for disks.
pub(crate) type Redb = RedbCache<u64, Vec<u8>>;

pub(crate) fn redb(folder: &Path) -> Result<Redb, Box<dyn Error>> {
    let store = RedbCache::builder("redb").disk_dir(folder).ttl(Duration::from_hours(1));
    // Not synced to the disk on every write: nobody else is either.
    Ok(store.durable(false).build()?)
}

pub(crate) fn get_redb(store: &Redb, id: u64) -> Vec<u8> {
    store.cache_get(&id).expect("it can be read").expect("put before")
}

/// A hybrid cache whose memory has room for a single byte, so that every hit comes from its disk.
pub(crate) struct Foyer {
    cache: HybridCache<u64, Vec<u8>>,
    runtime: Runtime,
    puts: AtomicU64,
}

impl Foyer {
    pub(crate) fn new(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let device = FsDeviceBuilder::new(folder.join("foyer")).with_capacity(256 << 20).build()?;
        let cache = runtime.block_on(
            HybridCacheBuilder::new()
                .with_policy(HybridCachePolicy::WriteOnInsertion)
                .memory(1)
                .with_shards(1)
                .with_weighter(|_, value: &Vec<u8>| value.len())
                .storage()
                .with_engine_config(BlockEngineConfig::new(device))
                .build(),
        )?;
        Ok(Self { cache, runtime, puts: AtomicU64::new(0) })
    }

    pub(crate) fn put(&self, id: u64, value: Vec<u8>) {
        let _runtime = self.runtime.enter();
        self.cache.insert(id, value);
        // What comes faster than it is written is dropped.
        if self.puts.fetch_add(1, Relaxed) % 64 == 63 {
            self.runtime.block_on(self.cache.storage().wait());
        }
    }

    pub(crate) fn get(&self, id: u64) -> Vec<u8> {
        let found = self.runtime.block_on(async { self.cache.get(&id).await });
        found.expect("it can be read").expect("put before").value().clone()
    }

    /// How often it has read from its disk.
    pub(crate) fn reads(&self) -> usize {
        self.cache.statistics().disk_read_ios()
    }
}
