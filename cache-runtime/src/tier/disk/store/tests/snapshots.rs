//! What reads keep open for the reads after them: what it may lack, and when it ends.

use super::super::pool::{MOST_READS, Together};
use super::*;

/// Two processes that use one store, in which there is a row, as far as they can be told apart.
fn pair() -> (Folder, Store, Store) {
    let folder = Folder::new();
    let (one, other) = (folder.open(), folder.open());
    put(&one, 1, 1, b"first");
    one.tend();
    (folder, one, other)
}

/// What is read with this note, and whether it may lack something.
fn look(store: &Store, state: State, note: u64) -> (Vec<u8>, u64, State) {
    let seen = |found: Found<'_>| {
        Ok::<_, Infallible>((found.envelope.unwrap().to_vec(), found.note, found.state))
    };
    store.read(1, state, || note, seen).unwrap().unwrap()
}

#[test]
fn a_read_may_lack_what_others_changed_a_moment_ago_and_says_so() {
    let (_folder, one, other) = pair();
    assert_eq!(look(&one, State::Recent, 5), (b"first".to_vec(), 5, State::Latest));
    put(&other, 1, 2, b"second");
    let old = (b"first".to_vec(), 5, State::Recent);
    assert_eq!(look(&one, State::Recent, 6), old, "with the note from before the snapshot");
    assert_eq!(look(&one, State::Latest, 7), (b"second".to_vec(), 7, State::Latest));
    put(&other, 1, 3, b"third");
    assert_eq!(look(&one, State::Recent, 8), (b"second".to_vec(), 7, State::Recent));
}

#[test]
fn a_read_lacks_nothing_that_its_own_process_changed() {
    let (_folder, one, _) = pair();
    look(&one, State::Recent, 5);
    put(&one, 1, 2, b"second");
    assert_eq!(look(&one, State::Recent, 6), (b"second".to_vec(), 6, State::Latest));
    one.batch(|batch| batch.put(1, 9, 0, 3, b"third")).unwrap();
    look(&one, State::Recent, 7);
    assert_eq!(one.make_room(10).unwrap().expired, 1);
    assert_eq!(read_in_vain(&one, 1), State::Latest);
}

/// Finds nothing of use, and says whether something may have been lacking.
fn read_in_vain(store: &Store, id: u64) -> State {
    let nothing = |found: Found<'_>| {
        assert_eq!(found.envelope, None);
        Err::<Infallible, _>(found.state)
    };
    store.read(id, State::Recent, || 0, nothing).unwrap().unwrap_err()
}

#[test]
fn a_read_in_vain_keeps_nothing_open() {
    let (folder, one, other) = pair();
    assert_eq!(read_in_vain(&one, 2), State::Latest);
    assert_eq!(other.checkpoint(), Ok(()), "after the first read of a transaction");
    look(&one, State::Recent, 0);
    put(&other, 3, 0, b"another");
    assert_eq!(read_in_vain(&one, 3), State::Recent);
    assert_eq!(other.checkpoint(), Ok(()), "after a later one");
    assert_eq!(on_disk(&folder.file()), length(&folder.file()));
}

#[test]
fn what_reads_keep_open_ends_after_some_of_them() {
    let (_folder, one, other) = pair();
    look(&one, State::Recent, 0);
    put(&other, 1, 2, b"second");
    for _ in 1..MOST_READS {
        assert_eq!(look(&one, State::Recent, 1).2, State::Recent);
    }
    assert_eq!(look(&one, State::Recent, 2), (b"second".to_vec(), 2, State::Latest));
}

#[test]
fn what_reads_keep_open_ends_when_it_is_released() {
    let (folder, one, other) = pair();
    look(&one, State::Recent, 0);
    put(&other, 1, 2, b"second");
    assert!(matches!(other.checkpoint(), Err(Fault::Busy(_))), "the log is in use");
    one.release();
    assert_eq!(other.checkpoint(), Ok(()));
    assert_eq!(on_disk(&folder.file()), length(&folder.file()));
    assert_eq!(look(&one, State::Recent, 1), (b"second".to_vec(), 1, State::Latest));
}

#[test]
fn a_process_is_not_in_its_own_way_when_it_empties_the_log() {
    let (folder, one, other) = pair();
    drop(other);
    put(&one, 2, 0, b"another");
    look(&one, State::Recent, 0);
    assert_eq!(one.checkpoint(), Ok(()));
    assert_eq!(on_disk(&folder.file()), length(&folder.file()));
}

#[test]
fn who_waits_for_a_turn_to_write_is_not_in_the_way_of_who_has_it() {
    let (folder, one, other) = pair();
    look(&one, State::Recent, 0);
    put(&other, 1, 2, b"second");
    let at_turn = Connection::open(folder.file()).unwrap();
    at_turn.execute_batch("BEGIN IMMEDIATE").unwrap();
    let is_copied = || {
        let copy = "PRAGMA wal_checkpoint(PASSIVE)";
        let pages = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let (all, copied) = other.writer.lock().query_row(copy, [], pages).unwrap();
        all == copied
    };
    assert!(!is_copied());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| one.batch(|batch| batch.put(2, NEVER, 0, 1, b"another")));
        while !is_copied() {
            assert!(!waiting.is_finished(), "it waited and was in the way");
            thread::yield_now();
        }
        at_turn.execute_batch("COMMIT").unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(true));
    });
}

#[test]
fn nothing_is_kept_open_while_nobody_would_release_it() {
    let folder = Folder::new();
    let (one, other) = (folder.open(), folder.open());
    put(&one, 1, 1, b"first");
    assert_eq!(look(&one, State::Recent, 0).2, State::Latest);
    put(&other, 1, 2, b"second");
    assert_eq!(other.checkpoint(), Ok(()));
    assert_eq!(look(&one, State::Recent, 1), (b"second".to_vec(), 1, State::Latest));
}

#[test]
fn what_is_settled_is_in_the_file_itself() {
    let (folder, one, other) = pair();
    let in_the_file = |bytes: &[u8]| {
        fs::read(folder.file()).unwrap().windows(bytes.len()).any(|there| there == bytes)
    };
    assert!(!in_the_file(b"first"));
    other.tend();
    look(&other, State::Recent, 0);
    put(&one, 1, 2, b"second");
    assert_eq!(one.settle(), Ok(false), "a reader may still need what was there before");
    assert!(!in_the_file(b"second"));
    other.release();
    assert_eq!(one.settle(), Ok(true));
    assert!(in_the_file(b"second"));
}

#[test]
fn reads_that_are_made_together_are_in_one_transaction() {
    let (_folder, one, other) = pair();
    // What was kept open before is not for them.
    look(&one, State::Recent, 4);
    put(&other, 1, 2, b"second");
    let together = Together::begin();
    assert_eq!(look(&one, State::Recent, 5), (b"second".to_vec(), 5, State::Latest));
    put(&other, 1, 3, b"third");
    assert_eq!(read_in_vain(&one, 2), State::Together);
    for _ in 0..2 * MOST_READS {
        let then = (b"second".to_vec(), 5, State::Together);
        assert_eq!(look(&one, State::Recent, 6), then);
    }
    assert_eq!(look(&one, State::Latest, 6), (b"third".to_vec(), 6, State::Latest));
    put(&other, 1, 4, b"fourth");
    assert_eq!(look(&one, State::Recent, 7), (b"third".to_vec(), 6, State::Together));
    put(&one, 9, 0, b"of this process");
    assert_eq!(look(&one, State::Recent, 7).1, 7, "what it changes itself it sees");
    put(&other, 1, 5, b"fifth");
    drop(together);
    assert_eq!(look(&one, State::Latest, 8), (b"fifth".to_vec(), 8, State::Latest));
}
