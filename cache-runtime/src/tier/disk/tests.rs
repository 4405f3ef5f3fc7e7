use super::child::Folder;
use super::*;
use crate::clock::Moment;
use crate::codec::envelope::Header;
use crate::entry::{About, Marks};
use crate::mark::Mark;
use crate::outward::envelope;

struct Deaf;

impl Listener for Deaf {
    fn hear(&self, _: Heard<'_>) {}

    fn settle(&self) {}
}

fn disk(folder: &Folder) -> Arc<Disk> {
    let place = Place::find(Some(folder.path()), "shop").unwrap();
    Disk::new(place, LIMIT, TimeSource::System, Box::new(Deaf)).unwrap()
}

/// An entry with a tag, as it is on its way.
fn parcel(stamp: MachineStamp, tag: &str) -> Arc<Parcel> {
    let about = About::of_bypassed(Marks::from_slice(&[Mark::tag(tag)]), None, Moment::NEVER);
    let header = Header {
        codec: 1,
        compression: 0,
        shape: [3; 16],
        incarnation: stamp.incarnation.bytes(),
        stamp: stamp.at.0,
        created: 0,
        expires: u64::MAX,
        weight: 1,
        unpacked: 0,
    };
    Arc::new(Parcel {
        id: 7,
        created: 0,
        expires: u64::MAX,
        stamp,
        envelope: envelope(header, &about, [b"", b"key", b"", b""]).unwrap(),
        about,
        counters: Arc::default(),
        lease: Mutex::new(None),
    })
}

/// As many entries, each under a number of its own.
fn entries(stamp: MachineStamp, count: u64) -> impl Iterator<Item = Parcel> {
    (0..count).map(move |id| {
        let parcel = Arc::into_inner(parcel(stamp, "tag")).expect("nobody else has it yet");
        Parcel { id, ..parcel }
    })
}

fn read(disk: &Disk) -> Result<(), Miss> {
    let wanted = Wanted { id: 7, key: b"key", shape: [3; 16], linger: Duration::ZERO, blame: None };
    let read = |state| disk.read(&wanted, state, &mut |_| Ok(()));
    let read = match read(State::Recent) {
        Err((_, State::Recent)) => read(State::Latest),
        read => read,
    };
    read.map(drop).map_err(|(miss, _)| miss)
}

/// V2: a sweep vouches for what it has seen, which is what is stored.
#[test]
fn what_was_invalidated_on_its_way_is_not_served_after_a_sweep() {
    let folder = Folder::new();
    let disk = disk(&folder);
    let parcel = parcel(disk.stamp().unwrap(), "tag");
    disk.core.pending.add(&parcel);
    assert_eq!(read(&disk), Ok(()));
    disk.record(&Target::Any(vec![Mark::tag("tag")])).unwrap();
    assert_eq!(read(&disk), Err(Miss::Invalidated));
    disk.core.machine.note_sweep(disk.stamp().unwrap());
    disk.core.machine.tidy();
    assert_eq!(read(&disk), Err(Miss::Invalidated));
}

/// V2: of what a sweep has removed nothing is served, even where it is still seen.
#[test]
fn what_a_sweep_has_removed_is_not_served_from_before_the_sweep() {
    let folder = Folder::new();
    let (one, other) = (disk(&folder), disk(&folder));
    let stored = |disk: &Disk| {
        let parcel = parcel(disk.stamp().unwrap(), "tag");
        let put = |batch: &store::Batch<'_>| {
            batch.put(7, u64::MAX, 0, parcel.stamp.at.0, &parcel.envelope)
        };
        disk.core.opened().unwrap().store.batch(put).unwrap();
    };
    stored(&other);
    let mut seen_before_the_sweep = false;
    // Until the thread that keeps the house was not in between.
    for _ in 0..100 {
        stored(&other);
        let opened = one.core.opened().unwrap();
        opened.store.release();
        assert_eq!(read(&one), Ok(()));
        other.record(&Target::Any(vec![Mark::tag("tag")])).unwrap();
        other.core.opened().unwrap().store.batch(|batch| batch.remove(7)).unwrap();
        other.core.machine.note_sweep(other.stamp().unwrap());
        one.hear();
        one.core.machine.tidy();
        let is_kept = |found: Found<'_>| Ok::<_, ()>(found.envelope.is_some());
        let is_kept = opened.store.read(7, State::Recent, || 0, is_kept).unwrap();
        seen_before_the_sweep |= is_kept.unwrap();
        assert_eq!(read(&one), Err(Miss::Absent));
    }
    assert!(seen_before_the_sweep, "so nothing is proved");
}

/// What was written is read at less cost once it is in the store's own file.
#[test]
fn what_was_written_is_settled_when_writing_has_ceased() {
    let folder = Folder::new();
    let disk = disk(&folder);
    let parcel = parcel(disk.stamp().unwrap(), "tag");
    let bytes = parcel.envelope.clone();
    disk.core.opened().unwrap().store.batch(|batch| batch.put(7, u64::MAX, 0, 0, &bytes)).unwrap();
    let file = std::fs::read_dir(folder.path().join("shop")).unwrap();
    let file = file.map(|it| it.unwrap().path()).find(|it| it.extension() == Some("db".as_ref()));
    let file = file.unwrap();
    let begun = Instant::now();
    while !std::fs::read(&file).unwrap().windows(bytes.len()).any(|it| it == &bytes[..]) {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain for the file");
        std::thread::yield_now();
    }
}

/// C1: the log has forgotten what was recorded since, and whoever had heard it is gone.
#[test]
fn what_is_later_than_the_clock_is_not_served() {
    let folder = Folder::new();
    let disk = disk(&folder);
    let stamp = disk.stamp().unwrap();
    let later = MachineStamp { at: Stamp(stamp.at.0 + 1), ..stamp };
    let parcel = parcel(later, "tag");
    let put = |batch: &store::Batch<'_>| batch.put(7, u64::MAX, 0, later.at.0, &parcel.envelope);
    disk.core.opened().unwrap().store.batch(put).unwrap();
    assert_eq!(read(&disk), Err(Miss::Invalidated));
    assert_ne!(disk.stamp().unwrap().incarnation, stamp.incarnation);
}

#[test]
fn what_was_set_aside_is_removed_after_a_day() {
    let folder = Folder::new();
    let aside = folder.path().join("shop").join("damaged.db");
    let open = || assert!(disk(&folder).stamp().is_some());
    open();
    std::fs::write(&aside, "a store").unwrap();
    open();
    assert!(aside.exists());
    let file = std::fs::File::options().write(true).open(&aside).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(25 * 60 * 60)).unwrap();
    open();
    assert!(!aside.exists());
}

/// The limit that is said of the tier where none is set.
#[test]
fn the_tier_keeps_a_gibibyte_unless_another_limit_is_set() {
    assert_eq!(LIMIT, 1_073_741_824);
}

/// One transaction for each would let a burst of writes wait for one another.
#[test]
fn what_is_queued_behind_another_writer_is_written_in_a_few_transactions() {
    let folder = Folder::new();
    let (disk, other) = (disk(&folder), disk(&folder));
    let opened = disk.core.opened().unwrap();
    let before = opened.store.changes();
    let queue_all = |_: &store::Batch<'_>| {
        let stamp = disk.stamp().unwrap();
        Ok(entries(stamp, 600).map(|parcel| disk.store(parcel)).collect::<Vec<_>>())
    };
    let arrivals = other.core.opened().unwrap().store.batch(queue_all).unwrap();
    arrivals.into_iter().for_each(futures_lite::future::block_on);
    assert_eq!(opened.store.len(), Ok(600));
    let changes = opened.store.changes() - before;
    assert!(changes < 10, "{changes}");
}

/// C6: numbers are short enough for two keys to meet under one.
#[test]
fn an_entry_of_another_key_or_shape_under_the_same_number_is_none() {
    let folder = Folder::new();
    let disk = disk(&folder);
    let parcel = parcel(disk.stamp().unwrap(), "tag");
    let read = |key: &[u8], shape: [u8; 16]| {
        let mut shown = false;
        let mut show = |_: &Sound<'_>| {
            shown = true;
            Ok(())
        };
        let wanted = Wanted { id: 7, key, shape, linger: Duration::ZERO, blame: None };
        let read = disk.read(&wanted, State::Latest, &mut show);
        assert_eq!(shown, read.is_ok());
        read.map(drop).map_err(|(miss, _)| miss)
    };
    let check = || {
        assert_eq!(read(b"key", [3; 16]), Ok(()));
        assert_eq!(read(b"other", [3; 16]), Err(Miss::Absent));
        assert_eq!(read(b"ke", [3; 16]), Err(Miss::Absent));
        assert_eq!(read(b"key", [4; 16]), Err(Miss::Absent));
    };
    disk.core.pending.add(&parcel);
    check();
    disk.core.pending.remove(&parcel);
    let put =
        |batch: &store::Batch<'_>| batch.put(7, u64::MAX, 0, parcel.stamp.at.0, &parcel.envelope);
    assert!(disk.core.opened().unwrap().store.batch(put).unwrap());
    check();
}

/// Two stores of one incarnation would be swept each for itself.
#[test]
fn a_store_found_damaged_as_it_is_opened_is_given_up_by_those_who_have_it_open() {
    let folder = Folder::new();
    let (one, other) = (disk(&folder), disk(&folder));
    let before = one.stamp().unwrap().incarnation;
    // What is still in the log would be taken from there.
    one.core.opened().unwrap().store.checkpoint().unwrap();
    let store = folder.path().join("shop").join(format!("store-{before}.db"));
    std::fs::write(store, "no store, and longer than the name of one").unwrap();
    let after = other.stamp().unwrap().incarnation;
    assert_ne!(after, before);
    one.hear();
    assert_eq!(one.stamp().unwrap().incarnation, after);
}

/// C5: what waits is known to all of this machine's processes once that has been told, by one that has
/// asked nothing else of the disk, too.
#[cfg(feature = "redis")]
#[test]
fn c5_what_another_process_has_wait_is_known_at_once() {
    let folder = Folder::new();
    let (one, other) = (disk(&folder), disk(&folder));
    let waiting = || one.postponed().into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    one.attend();
    assert!(waiting().is_empty());
    assert!(one.core.machine.word().is_some(), "the file would be looked for each time");
    for round in 1..=20 {
        let tag = Target::Any(vec![Mark::tag(&round.to_string())]);
        other.postpone(&tag).unwrap();
        other.record(&tag).unwrap();
        let numbers = waiting();
        assert_eq!(numbers.len(), 1, "round {round}");
        other.delivered(&numbers).unwrap();
        assert!(waiting().is_empty());
    }
}
