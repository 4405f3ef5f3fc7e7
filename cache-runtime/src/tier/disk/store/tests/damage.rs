//! Files that were damaged while nobody had them open.

use super::*;

const ROWS: u64 = 150;
const PARTS: [&str; 3] = ["store", "store-wal", "store-shm"];

/// Leaves the files as a crash would: half of the rows in the log only.
fn crashed(folder: &Folder) -> [Vec<u8>; 3] {
    let store = folder.open();
    let put = |from: u64| {
        store
            .batch(|batch| {
                (from..from + 5)
                    .try_for_each(|id| batch.put(id, 10 + id, id, 1, &envelope(id)).map(drop))
            })
            .unwrap();
    };
    (0..ROWS).step_by(5).for_each(put);
    store.checkpoint().unwrap();
    for id in 0..ROWS / 2 {
        put_small(&store, id);
    }
    PARTS.map(|part| fs::read(folder.0.join(part)).unwrap())
}

fn put_small(store: &Store, id: u64) {
    store.batch(|batch| batch.put(id, 10 + id, id, 2, &envelope(id)[..8])).unwrap();
}

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let place = |dice: &mut Dice, end: usize| usize::try_from(dice.below(end as u64)).unwrap();
    // Half of the damage is done where it hurts most.
    let end = if dice.below(2) == 0 { bytes.len().min(8_192) } else { bytes.len() };
    if end == 0 {
        return;
    }
    match dice.below(4) {
        0 => bytes.truncate(place(dice, end)),
        1 => {
            let from = place(dice, end);
            let to = bytes.len().min(from + 1 + place(dice, 8_192));
            bytes[from..to].fill(0);
        }
        2 => {
            let (from, to) = (place(dice, end), place(dice, end));
            let length = 4_096.min(bytes.len() - from.max(to));
            bytes.copy_within(from..from + length, to);
        }
        _ => {
            for _ in 0..=dice.below(40) {
                let at = place(dice, end);
                bytes[at] ^= 1 << dice.below(8);
            }
        }
    }
}

/// Does all that can be done with a store. How often it did not work, and how often it did.
fn use_it(store: &Store) -> (u32, u32) {
    let mut counts = (0, 0);
    // From here on reads keep open what they see.
    store.tend();
    let mut count = |worked: bool| if worked { counts.1 += 1 } else { counts.0 += 1 };
    for id in 0..ROWS {
        let length = |found: Found<'_>| found.envelope.map(<[u8]>::len).ok_or(());
        let state = if id % 16 == 0 { State::Latest } else { State::Recent };
        count(store.read(id, state, || 0, length).is_ok());
        count(store.read_prefix(id, 64).is_ok());
    }
    count(store.scan(None, usize::MAX, 64).is_ok());
    for id in 0..6 {
        count(store.batch(|batch| batch.put(id * 25, 10, id, 3, &envelope(id))).is_ok());
        count(store.batch(|batch| batch.remove(id * 21)).is_ok());
        count(store.batch(|batch| batch.remove_if(id * 17, 1)).is_ok());
    }
    count(store.len().is_ok());
    count(store.used().is_ok());
    for now in [50, u64::MAX] {
        let steps = (0..20_000).take_while(|_| store.make_room(now).is_ok_and(|step| step.more));
        assert!(steps.count() < 20_000, "making room comes to an end");
    }
    count(store.checkpoint().is_ok());
    count(store.purge().is_ok());
    counts
}

#[test]
fn no_damage_makes_the_store_panic() {
    let whole = crashed(&Folder::in_memory());
    let (mut refused, mut failed, mut worked) = (0, 0, 0);
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let folder = Folder::in_memory();
        let mut parts = whole.clone();
        for _ in 0..=dice.below(3) {
            let part = [0, 0, 0, 1, 1, 2][usize::try_from(dice.below(6)).unwrap()];
            damage(&mut parts[part], &mut dice);
        }
        for (part, bytes) in PARTS.iter().zip(&parts) {
            fs::write(folder.0.join(part), bytes).unwrap();
        }
        let open = if seed % 2 == 0 { Store::open } else { Store::open_unmapped };
        let Ok(store) = open(&folder.file(), LIMIT) else {
            refused += 1;
            continue;
        };
        let counts = use_it(&store);
        failed += counts.0;
        worked += counts.1;
    }
    assert!(refused > 10 && failed > 100, "the damage is too small: {refused}, {failed}");
    assert!(worked > 1_000, "the damage is too large: {worked}");
}

#[test]
fn a_log_that_a_crash_left_is_read() {
    let whole = crashed(&Folder::in_memory());
    let folder = Folder::in_memory();
    for (part, bytes) in PARTS.iter().zip(&whole) {
        fs::write(folder.0.join(part), bytes).unwrap();
    }
    let store = folder.open();
    assert_eq!(store.len(), Ok(ROWS));
    for id in 0..ROWS {
        let length = if id < ROWS / 2 { 8 } else { usize::MAX };
        let expected = envelope(id).into_iter().take(length).collect();
        assert_eq!(read(&store, id), Some(expected));
    }
}

#[test]
fn a_damaged_page_is_a_fault_to_reads_and_writes() {
    let folder = Folder::in_memory();
    let store = folder.open();
    for id in 0..ROWS {
        put_small(&store, id);
    }
    drop(store);
    let mut bytes = fs::read(folder.file()).unwrap();
    bytes[2 * 4_096..].fill(0xa5);
    fs::write(folder.file(), bytes).unwrap();
    let store = folder.open();
    assert!(matches!(see(&store, 1, |_| ()), Err(Fault::Damaged(_))));
    let put = store.batch(|batch| batch.put(1, NEVER, 0, 5, b"row"));
    assert!(matches!(put, Err(Fault::Damaged(_))), "{put:?}");
}

/// As after one bit: who may write the file is told that it may not be written.
#[test]
fn a_header_that_forbids_to_write_is_damage() {
    let folder = Folder::in_memory();
    let store = folder.open();
    put_small(&store, 1);
    drop(store);
    let mut bytes = fs::read(folder.file()).unwrap();
    assert_eq!(bytes[18], 2, "the version that writes");
    bytes[18] = 3;
    fs::write(folder.file(), bytes).unwrap();
    let fault = match Store::open(&folder.file(), LIMIT) {
        Ok(store) => store.batch(|batch| batch.put(1, NEVER, 0, 5, b"row")).unwrap_err(),
        Err(fault) => fault,
    };
    assert!(matches!(fault, Fault::Damaged(_)), "{fault}");
}

/// While a transaction is under way, something writes into the index of the log that it has billions of
/// pages, and the transaction is taken back.
#[test]
fn an_index_that_something_else_has_written_into_stays_small() {
    let folder = Folder::new();
    let store = folder.open();
    put_small(&store, 1);
    let path = folder.0.join("store-shm");
    let index = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let pages = 25_000_000_u32.to_ne_bytes();
    let outcome = store.batch(|batch| {
        batch.put(2, 10, 2, 1, &envelope(2))?;
        // Where the index says so, in both of its heads.
        for head in [0, 48] {
            std::os::unix::fs::FileExt::write_all_at(&index, &pages, head + 16).unwrap();
        }
        Err::<(), _>(Fault::Full("nothing fits".into()))
    });
    assert!(outcome.is_err());
    let length = fs::metadata(&path).unwrap().len();
    assert!(length <= 1_024 * 32_768, "{length} bytes");
}
