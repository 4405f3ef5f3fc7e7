//! What the store promises to whoever uses it, one process at a time.

mod damage;
mod processes;
mod room;
mod snapshots;

use super::{Batch, Fault, Found, Row, State, Store};
use rusqlite::Connection;
use std::convert::Infallible;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

const MIB: u64 = 1 << 20;
const LIMIT: u64 = 8 * MIB;
const NEVER: u64 = u64::MAX;

/// A folder of a test's own, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// In memory where there is such a place: many files are made sooner there.
    fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    fn below(parent: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("larder-store-{}-{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let path = parent.join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("store")
    }

    fn open(&self) -> Store {
        Store::open(&self.file(), LIMIT).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }
}

/// An envelope that says whose it is, of a length of its own.
fn envelope(id: u64) -> Vec<u8> {
    let mut dice = Dice(id);
    let length = usize::try_from(8 + dice.below(12_000)).unwrap();
    id.to_le_bytes().into_iter().cycle().take(length).collect()
}

/// Does what is to succeed however many others are at work: who is told that the store is busy may
/// ask again.
fn patiently<R>(mut work: impl FnMut() -> Result<R, Fault>) -> R {
    loop {
        match work() {
            Err(Fault::Busy(_)) => thread::yield_now(),
            done => return done.unwrap(),
        }
    }
}

fn put(store: &Store, id: u64, stamp: u64, envelope: &[u8]) -> bool {
    patiently(|| store.batch(|batch| batch.put(id, NEVER, 0, stamp, envelope)))
}

fn read(store: &Store, id: u64) -> Option<Vec<u8>> {
    patiently(|| see(store, id, |envelope| envelope.map(<[u8]>::to_vec)))
}

/// Shows what is there now to `f`.
fn see<R>(store: &Store, id: u64, f: impl FnOnce(Option<&[u8]>) -> R) -> Result<R, Fault> {
    let seen = store.read(id, State::Latest, || 0, |found| Ok::<_, Infallible>(f(found.envelope)));
    Ok(seen?.unwrap())
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |file| file.len())
}

/// What the store takes up: file and log.
fn on_disk(file: &Path) -> u64 {
    length(file) + length(&file.with_file_name("store-wal"))
}

/// Puts until the store refuses, without ever making room.
fn fill(store: &Store) -> Fault {
    let put = |from: u64| {
        store.batch(|batch| {
            (from..from + 8).try_for_each(|id| batch.put(id, NEVER, 0, 0, &[7; 9_000]).map(drop))
        })
    };
    (0..4_000).step_by(8).find_map(|from| put(from).err()).unwrap()
}

#[test]
fn what_is_put_is_read_by_any_number() {
    let folder = Folder::new();
    let store = folder.open();
    for id in [0, 1, 1 << 63, u64::MAX - 1, u64::MAX] {
        assert_eq!(read(&store, id), None);
        assert!(put(&store, id, 5, &envelope(id)));
        assert_eq!(read(&store, id), Some(envelope(id)));
    }
    assert!(put(&store, 7, 5, &[]));
    assert_eq!(read(&store, 7), Some(Vec::new()));
    assert_eq!(store.len(), Ok(6));
}

#[test]
fn what_was_put_is_there_when_the_store_is_opened_again() {
    let folder = Folder::new();
    assert!(put(&folder.open(), 3, 0, b"kept"));
    assert_eq!(read(&folder.open(), 3).as_deref(), Some(&b"kept"[..]));
    let store = Store::open_unmapped(&folder.file(), LIMIT).unwrap();
    assert_eq!(read(&store, 3).as_deref(), Some(&b"kept"[..]));
}

#[test]
fn a_row_is_never_replaced_by_one_with_an_earlier_stamp() {
    let folder = Folder::new();
    let store = folder.open();
    assert!(put(&store, 1, (1 << 63) + 1, b"first"));
    for earlier in [0, 1, (1 << 63) - 1, 1 << 63] {
        assert!(!put(&store, 1, earlier, b"earlier"));
        assert_eq!(read(&store, 1).as_deref(), Some(&b"first"[..]));
    }
    assert!(put(&store, 1, (1 << 63) + 1, b"as late"));
    assert_eq!(read(&store, 1).as_deref(), Some(&b"as late"[..]));
    assert!(put(&store, 1, u64::MAX, b"later"));
    assert_eq!(read(&store, 1).as_deref(), Some(&b"later"[..]));
}

#[test]
fn a_row_is_removed_or_only_with_the_stamp_that_was_seen() {
    let folder = Folder::new();
    let store = folder.open();
    let change =
        |f: &dyn Fn(&Batch<'_>) -> Result<bool, Fault>| store.batch(|batch| f(batch)).unwrap();
    put(&store, 1, 5, b"row");
    assert!(!change(&|batch| batch.remove_if(1, 4)));
    assert!(read(&store, 1).is_some());
    assert!(change(&|batch| batch.remove_if(1, 5)));
    assert_eq!(read(&store, 1), None);
    put(&store, 1, 5, b"row");
    assert!(change(&|batch| batch.remove(1)));
    assert!(!change(&|batch| batch.remove(1)));
    assert_eq!(read(&store, 1), None);
}

#[test]
fn a_batch_that_returns_a_fault_or_panics_is_undone() {
    let folder = Folder::new();
    let store = folder.open();
    let fault = Fault::Busy("the caller's own".into());
    let returned: Result<(), _> = store.batch(|batch| {
        batch.put(1, NEVER, 0, 0, b"lost")?;
        Err(fault.clone())
    });
    assert_eq!(returned, Err(fault));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.batch(|batch| -> Result<(), Fault> {
            batch.put(2, NEVER, 0, 0, b"lost")?;
            panic!("in the middle");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.len(), Ok(0));
    assert!(put(&store, 1, 0, b"kept"));
}

#[test]
fn a_batch_with_a_failed_statement_is_undone_though_the_failure_is_ignored() {
    let folder = Folder::new();
    let store = folder.open();
    assert!(matches!(fill(&store), Fault::Full(_)));
    let rows = store.len().unwrap();
    let outcome = store.batch(|batch| {
        let puts: Vec<_> =
            (0..12).map(|id| batch.put((1 << 40) + id, NEVER, 0, 0, &[7; 9_000])).collect();
        assert!(puts.iter().any(Result::is_err));
        Ok(())
    });
    assert!(matches!(outcome, Err(Fault::Full(_))), "{outcome:?}");
    assert_eq!(store.len(), Ok(rows));
}

#[test]
fn a_batch_takes_no_more_than_its_share() {
    let folder = Folder::new();
    let store = folder.open();
    let large = vec![1; usize::try_from(LIMIT / 32).unwrap()];
    let taken = store.batch(|batch| {
        assert!(!batch.fits(large.len()));
        assert!(matches!(batch.put(0, NEVER, 0, 0, &large), Err(Fault::Full(_))));
        let taken = (1..)
            .take_while(|_| batch.fits(1_000))
            .map(|id| batch.put(id, NEVER, 0, 0, &[1; 1_000]));
        taken.collect::<Result<Vec<_>, _>>()
    });
    let taken = taken.unwrap().len() as u64;
    assert!(taken > 8, "{taken}");
    assert_eq!(store.len(), Ok(taken), "what was refused for its size undoes nothing");
}

#[test]
fn a_scan_goes_by_number_and_sees_beginnings_only() {
    let folder = Folder::new();
    let store = folder.open();
    let mut dice = Dice(1);
    let mut ids: Vec<_> = (0..100).map(|_| dice.roll()).chain([0, u64::MAX]).collect();
    for id in &ids {
        put(&store, *id, *id / 2, &envelope(*id));
    }
    ids.sort_unstable();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let rows = store.scan(after, 7, 300).unwrap();
        let Some(last) = rows.last() else { break };
        assert!(rows.len() <= 7);
        after = Some(last.id);
        seen.extend(rows);
    }
    let row = |id: &u64| {
        let prefix = envelope(*id).into_iter().take(300).collect();
        Row { id: *id, stamp: *id / 2, prefix }
    };
    assert_eq!(seen, ids.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn a_prefix_is_as_long_as_the_envelope_at_most() {
    let folder = Folder::new();
    let store = folder.open();
    put(&store, 1, 0, b"envelope");
    put(&store, 2, 0, &vec![9; 100_000]);
    assert_eq!(store.read_prefix(1, 3), Ok(Some(b"env".to_vec())));
    assert_eq!(store.read_prefix(1, 100), Ok(Some(b"envelope".to_vec())));
    assert_eq!(store.read_prefix(2, 50_000), Ok(Some(vec![9; 50_000])));
    assert_eq!(store.read_prefix(3, 100), Ok(None));
}

#[test]
fn reads_within_reads_never_wait_for_a_connection() {
    fn nested(store: &Store, depth: u32) -> u32 {
        let deeper = |found: Option<&[u8]>| {
            assert_eq!(found, Some(&b"row"[..]));
            if depth == 0 { 0 } else { 1 + nested(store, depth - 1) }
        };
        see(store, 1, deeper).unwrap()
    }
    let folder = Folder::new();
    let store = folder.open();
    put(&store, 1, 0, b"row");
    assert_eq!(nested(&store, 70), 70);
}

#[test]
fn a_read_that_panics_leaves_nothing_open_for_long() {
    let folder = Folder::new();
    let (store, other) = (folder.open(), folder.open());
    put(&store, 1, 0, b"row");
    let panics = || catch_unwind(AssertUnwindSafe(|| see(&store, 1, |_| panic!("while reading"))));
    assert!(panics().is_err());
    put(&other, 2, 0, b"another");
    assert_eq!(other.checkpoint(), Ok(()), "nobody would release it");
    store.tend();
    assert!(panics().is_err());
    assert!(store.release());
    put(&other, 3, 0, b"a third");
    assert_eq!(other.checkpoint(), Ok(()));
    assert_eq!(on_disk(&folder.file()), length(&folder.file()), "a reader would hold the log");
    assert_eq!(read(&store, 3).as_deref(), Some(&b"a third"[..]));
}

#[test]
fn a_reader_is_not_in_the_way_of_a_writer_nor_the_other_way_round() {
    let folder = Folder::new();
    let store = folder.open();
    put(&store, 1, 0, b"before");
    let seen = store.batch(|batch| {
        batch.put(1, NEVER, 0, 1, b"after")?;
        Ok(read(&store, 1))
    });
    assert_eq!(seen.unwrap().as_deref(), Some(&b"before"[..]));
    let seen = see(&store, 1, |envelope| {
        put(&store, 1, 2, b"later");
        assert_eq!(store.make_room(u64::MAX).unwrap().expired, 1);
        envelope.map(<[u8]>::to_vec)
    });
    assert_eq!(seen.unwrap().as_deref(), Some(&b"after"[..]));
    assert_eq!(read(&store, 1), None);
}

#[test]
fn a_purged_store_is_empty_and_small_and_works() {
    let folder = Folder::new();
    let store = folder.open();
    for from in (0..400).step_by(4) {
        store
            .batch(|batch| {
                (from..from + 4)
                    .try_for_each(|id| batch.put(id, NEVER, 0, 0, &envelope(id)).map(drop))
            })
            .unwrap();
    }
    assert!(store.used().unwrap() > MIB);
    assert_eq!(store.purge(), Ok(()));
    assert_eq!(store.len(), Ok(0));
    assert!(store.used().unwrap() < MIB / 16);
    assert!(on_disk(&folder.file()) < MIB / 4, "{}", on_disk(&folder.file()));
    assert!(put(&store, 1, 0, b"again"));
}

#[test]
fn a_new_store_has_the_form_it_is_meant_to_have() {
    let folder = Folder::new();
    let _store = folder.open();
    let raw = Connection::open(folder.file()).unwrap();
    let pragma =
        |name: &str| raw.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("application_id"), 0x4c61_7264);
    assert_eq!(pragma("user_version"), 1);
    assert_eq!(pragma("page_size"), 4_096);
    assert_eq!(pragma("auto_vacuum"), 2, "incremental");
    let mode: String = raw.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn the_connections_of_a_store_are_set_up_as_they_are_meant_to_be() {
    let folder = Folder::new();
    let store = folder.open();
    let number = |connection: &Connection, name: &str| -> i64 {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    };
    let mapped = store.readers.read(|reader| Ok(number(reader, "mmap_size"))).unwrap();
    assert!(mapped > 0, "reads copy no pages");
    let writer = store.writer.lock();
    assert!(number(&writer, "mmap_size") > 0, "nor do writes");
    assert_eq!(number(&writer, "synchronous"), 1, "a commit does not wait for the disk");
    assert_eq!(number(&writer, "max_page_count"), (LIMIT / 100 * 97 / 4_096).cast_signed());
}

#[test]
fn a_file_of_nothing_becomes_a_store() {
    let folder = Folder::new();
    fs::write(folder.file(), b"").unwrap();
    assert!(put(&folder.open(), 1, 0, b"row"));
}

#[test]
fn a_foreign_file_is_damaged_and_stays_as_it_was() {
    let folder = Folder::new();
    let foreign: [&dyn Fn(&Path); 4] = [
        &|path| fs::write(path, "no database, but longer than a head".repeat(99)).unwrap(),
        &|path| Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (a)").unwrap(),
        &|path| Connection::open(path).unwrap().execute_batch("PRAGMA application_id = 7").unwrap(),
        &|path| {
            drop(Store::open(path, LIMIT).unwrap());
            Connection::open(path).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
        },
    ];
    for make in foreign {
        make(&folder.file());
        let before = fs::read(folder.file()).unwrap();
        let fault = Store::open(&folder.file(), LIMIT).unwrap_err();
        assert!(matches!(fault, Fault::Damaged(_)), "{fault}");
        assert!(fs::read(folder.file()).unwrap() == before, "{fault}");
        fs::remove_file(folder.file()).unwrap();
    }
}

#[test]
fn a_store_without_its_table_is_damaged() {
    let folder = Folder::new();
    drop(folder.open());
    Connection::open(folder.file()).unwrap().execute_batch("DROP TABLE entries").unwrap();
    assert!(matches!(Store::open(&folder.file(), LIMIT), Err(Fault::Damaged(_))));
}

#[test]
fn a_file_that_cannot_be_reached_is_unavailable() {
    let folder = Folder::new();
    for path in [folder.0.clone(), folder.0.join("missing/store")] {
        let fault = Store::open(&path, LIMIT).unwrap_err();
        assert!(matches!(fault, Fault::Unavailable(_)), "{fault}");
    }
}
