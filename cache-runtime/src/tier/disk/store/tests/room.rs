//! What is removed, in which order, and how much there ever is.

use super::*;
use crate::tier::disk::store::Evicted;

/// Puts rows, all of 9,000 bytes, from `(id, expires, created)`.
fn put_all(store: &Store, rows: impl IntoIterator<Item = (u64, u64, u64)>) {
    let rows: Vec<_> = rows.into_iter().collect();
    for rows in rows.chunks(4) {
        let put = |batch: &Batch<'_>| {
            let mut rows = rows.iter();
            rows.try_for_each(|(id, expires, created)| {
                batch.put(*id, *expires, *created, 0, &[7; 9_000]).map(drop)
            })
        };
        patiently(|| store.batch(put));
    }
}

fn ids(store: &Store) -> Vec<u64> {
    store.scan(None, usize::MAX, 0).unwrap().into_iter().map(|row| row.id).collect()
}

/// Makes room until no more is due.
fn make_room(store: &Store, now: u64) -> Evicted {
    let mut all = Evicted::default();
    loop {
        let step = patiently(|| store.make_room(now));
        assert!(step.expired + step.oldest <= 64 && step.bytes <= MIB + 12_008);
        all.expired += step.expired;
        all.oldest += step.oldest;
        all.bytes += step.bytes;
        if !step.more {
            return all;
        }
    }
}

#[test]
fn nothing_goes_while_there_is_room_and_nothing_has_expired() {
    let folder = Folder::new();
    let store = folder.open();
    put_all(&store, (0..100).map(|id| (id, 10, id)));
    assert_eq!(make_room(&store, 9), Evicted::default());
    assert_eq!(store.len(), Ok(100));
}

#[test]
fn what_has_expired_goes_though_there_is_room() {
    let folder = Folder::new();
    let store = folder.open();
    put_all(&store, (0..100).map(|id| (id, 10 + id % 2, id)));
    let evicted = make_room(&store, 10);
    assert_eq!((evicted.expired, evicted.oldest, evicted.bytes), (50, 0, 450_000));
    assert!(ids(&store).iter().all(|id| id % 2 == 1));
}

#[test]
fn what_has_expired_goes_first_and_then_the_oldest() {
    let folder = Folder::new();
    let store = folder.open();
    // Number 0 to 99 expire; the higher the number, the older.
    put_all(&store, (0..830).map(|id| (id, if id < 100 { 10 } else { NEVER }, 1_000 - id)));
    assert!(store.used().unwrap() > LIMIT / 100 * 90, "the test needs a store that is too full");
    assert_eq!(make_room(&store, 9).expired, 0);
    let left = ids(&store);
    assert!(left.len() < 830);
    assert_eq!(left, (0..left.len() as u64).collect::<Vec<_>>(), "the oldest went");

    put_all(&store, (830..870).map(|id| (id, NEVER, 2_000)));
    assert!(store.used().unwrap() > LIMIT / 100 * 90, "the test needs a store that is too full");
    let evicted = make_room(&store, 10);
    assert_eq!((evicted.expired, evicted.oldest), (100, 0), "the expired were enough");
    assert!(store.used().unwrap() <= LIMIT / 100 * 90);
}

#[test]
fn a_step_gives_many_pages_back() {
    let folder = Folder::new();
    let store = folder.open();
    put_all(&store, (0..400).map(|id| (id, 10, id)));
    let pages = store.used().unwrap() / 4_096;
    let steps = (1..2_000).find(|_| !patiently(|| store.make_room(10)).more).unwrap();
    assert!(pages > 800 && steps < 200, "{pages} pages took {steps} steps");
    assert_eq!(store.len(), Ok(0));
}

#[test]
fn a_full_store_takes_more_once_room_is_made() {
    let folder = Folder::new();
    let store = folder.open();
    assert!(matches!(fill(&store), Fault::Full(_)));
    assert!(on_disk(&folder.file()) <= LIMIT / 10 * 11);
    assert!(make_room(&store, 0).oldest > 0);
    put_all(&store, (10_000..10_008).map(|id| (id, NEVER, 1)));
}

#[test]
fn a_lower_limit_makes_an_old_store_smaller() {
    let folder = Folder::new();
    fill(&folder.open());
    let store = Store::open(&folder.file(), LIMIT / 2).unwrap();
    make_room(&store, 0);
    let size = on_disk(&folder.file());
    assert!(size > LIMIT / 3 && size <= LIMIT / 20 * 11, "{size}");
}

/// Puts envelopes of all sizes and makes room, as fast as it can; says the most that it ever saw.
pub(super) fn stream(store: &Store, file: &Path, seed: u64) -> u64 {
    let mut dice = Dice(seed);
    let mut most = 0;
    for now in 0..150 {
        let put = |batch: &Batch<'_>| {
            for _ in 0..dice.below(16) {
                let id = dice.below(4_000);
                let envelope = envelope(dice.roll());
                if batch.fits(envelope.len()) {
                    batch.put(id, now + 10 + dice.below(200), now, now, &envelope)?;
                }
            }
            Ok(())
        };
        match store.batch(put) {
            Ok(()) | Err(Fault::Full(_) | Fault::Busy(_)) => {}
            Err(fault) => panic!("{fault}"),
        }
        while matches!(store.make_room(now), Ok(Evicted { more: true, .. })) {}
        most = most.max(on_disk(file));
    }
    most
}

#[test]
fn a_stream_of_puts_stays_within_the_bounds_and_leaves_nothing_when_it_expires() {
    let folder = Folder::new();
    let file = &folder.file();
    let store = &Store::open(file, 4 * MIB).unwrap();
    let most = thread::scope(|scope| {
        let streams = [1, 2, 3].map(|seed| scope.spawn(move || stream(store, file, seed)));
        streams.map(|stream| stream.join().unwrap())
    });
    let most = most.into_iter().max().unwrap();
    assert!(most <= 4 * MIB / 10 * 11, "{most}");
    assert!(most > 4 * MIB / 10 * 8, "the streams should fill the store: {most}");
    make_room(store, NEVER - 1);
    assert_eq!(store.len(), Ok(0));
    assert!(on_disk(file) < MIB / 4, "{}", on_disk(file));
}

#[test]
fn a_stuck_reader_has_puts_refused_rather_than_the_log_grow() {
    let folder = Folder::new();
    let store = folder.open();
    put(&store, 0, 0, b"seen");
    let stuck = Connection::open(folder.file()).unwrap();
    stuck.execute_batch("BEGIN; SELECT * FROM entries;").unwrap();
    let refused = (1..4_000).step_by(8).find_map(|from| {
        let put = |batch: &Batch<'_>| {
            (from..from + 8).try_for_each(|id| batch.put(id, NEVER, 0, 0, &[7; 9_000]).map(drop))
        };
        store.batch(put).err()
    });
    assert!(matches!(refused, Some(Fault::Busy(_))), "{refused:?}");
    assert!(store.used().unwrap() < LIMIT / 2, "the log is full, the file is not");
    assert!(on_disk(&folder.file()) <= LIMIT / 10 * 11);
    assert!(read(&store, 1).is_some());
    assert!(store.is_crowded(), "it is not waited for each time");

    stuck.execute_batch("COMMIT").unwrap();
    put_all(&store, [(1, NEVER, 0)]);
    assert!(!store.is_crowded());

    stuck.execute_batch("BEGIN; SELECT * FROM entries;").unwrap();
    put(&store, 2, 0, b"in the log");
    let large = |batch: &Batch<'_>| batch.put(3, NEVER, 0, 0, &vec![7; 500_000]);
    assert!(matches!(store.alone(large), Err(Fault::Busy(_))));
    put(&store, 4, 0, b"has room");
    assert!(store.is_crowded(), "what needs an empty log would wait again");
    stuck.execute_batch("COMMIT").unwrap();
    assert_eq!(store.alone(large), Ok(true));
    assert!(!store.is_crowded());
}
