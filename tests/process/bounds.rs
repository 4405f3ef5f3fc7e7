//! The room that the disk tier takes: never much more than it is given, whatever is stored; what has
//! expired goes first, then what is oldest, and what is free is given back.

use crate::child::{Child, Inside, LIMIT, Test, folder, hear, say, until};
use futures_lite::future;
use larder::testing::ManualClock;
use larder::{FunctionStats, Runtime, cached};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;
const DISK: u64 = 8 * MIB;

/// Bytes that can't be compressed, and are another key's nowhere.
fn noise(key: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::Rng::with_seed(key).fill(&mut bytes);
    bytes
}

#[cached(tier = "l2", ttl = "10h", write = "through")]
fn stored(key: u64, length: usize) -> Vec<u8> {
    noise(key, length)
}

#[cached(tier = "l2", ttl = "1m", write = "through")]
fn short_lived(key: u64, length: usize) -> Vec<u8> {
    noise(key, length)
}

fn runtime(directory: &Path) -> Runtime {
    Runtime::builder().namespace("tests").dir(directory).disk_limit(DISK).build().unwrap()
}

fn stats(runtime: &Runtime, name: &str) -> FunctionStats {
    let mut functions = runtime.stats().functions.into_iter();
    functions.find(|it| it.name.ends_with(name)).unwrap()
}

/// The bytes of the store and of its log.
fn taken(directory: &Path) -> u64 {
    let files = fs::read_dir(directory.join("tests")).unwrap().flatten();
    let stores = files.filter(|file| {
        let name = file.file_name().into_string().unwrap();
        name.ends_with(".db") || name.ends_with(".db-wal")
    });
    stores.filter_map(|file| file.metadata().ok()).map(|it| it.len()).sum()
}

/// Stores distinct values until it is told to end.
fn fill(inside: &Inside) {
    let number: u64 = inside.role.parse().unwrap();
    runtime(&inside.directory).install().unwrap();
    let mut random = fastrand::Rng::with_seed(number);
    say("ready");
    hear();
    for key in 0..4_000 {
        let length = random.usize(1_000..20_000);
        assert_eq!(stored(key << 8 | number, length), noise(key << 8 | number, length));
    }
    say("done");
}

#[test]
fn three_processes_that_store_all_the_time_stay_within_the_limit() {
    let Some(test) = Test::new(|inside| fill(&inside)) else { return };
    let folder = folder();
    let mut children: Vec<Child> =
        (0..3).map(|number| test.start(&number.to_string(), folder.path())).collect();
    children.iter_mut().for_each(|child| child.expect("ready"));
    children.iter_mut().for_each(|child| child.tell("go"));
    let (mut most, mut samples, mut done, begun) = (0, 0, 0, Instant::now());
    while done < children.len() {
        most = most.max(taken(folder.path()));
        samples += 1;
        assert!(most <= DISK / 10 * 11, "{most} bytes");
        done += children.iter_mut().filter_map(Child::overhear).count();
        thread::park_timeout(Duration::from_micros(300));
        assert!(begun.elapsed() < LIMIT, "waited in vain for all to be stored");
    }
    println!("at most {most} bytes in {samples} samples");
    assert!(most > DISK / 2, "so little was stored that nothing is proved");
    for child in children {
        assert_eq!(child.end(), [""; 0]);
    }
}

#[test]
fn what_is_oldest_goes_first() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let (runtime, clock) = with_clock(folder.path());
    runtime.with(|| {
        let is_there = |key: &u64| stored::peek(*key, 12_000).is_some();
        // What makes room may be behind: then there is none for what comes next.
        let mut found_room = |key: &u64| {
            stored(*key, 12_000);
            clock.advance(Duration::from_secs(1));
            is_there(key)
        };
        let stored: Vec<_> = (0..1_000).filter(&mut found_room).collect();
        let left = until("what is oldest, and nothing else, to have gone", || {
            let gone = stored.iter().take_while(|key| !is_there(key)).count();
            (gone > 0 && stored[gone..].iter().all(is_there)).then(|| stored.len() - gone)
        });
        assert!(left > 10, "{left}");
    });
}

#[test]
fn what_has_expired_goes_before_what_is_older() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let (runtime, clock) = with_clock(folder.path());
    runtime.with(|| {
        (0..200).for_each(|key| drop(stored(key, 12_000)));
        clock.advance(Duration::from_secs(1));
        (0..200).for_each(|key| drop(short_lived(key, 12_000)));
        clock.advance(Duration::from_secs(120));
        // More than fits beside all that is there.
        (200..500).for_each(|key| {
            stored(key, 12_000);
        });
        let kept = (0..500).filter(|key| stored::peek(*key, 12_000).is_some()).count();
        assert_eq!(kept, 500);
    });
}

fn with_clock(directory: &Path) -> (Runtime, ManualClock) {
    let clock = ManualClock::new();
    let builder = Runtime::builder().namespace("tests").dir(directory).disk_limit(DISK);
    (builder.clock(clock.clone()).build().unwrap(), clock)
}

#[test]
fn what_is_larger_than_an_eighth_of_the_limit_is_counted_and_not_stored() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let runtime = runtime(folder.path());
    let length = (DISK / 8) as usize + 1;
    runtime.with(|| {
        assert_eq!(stored(1, 20), noise(1, 20));
        assert_eq!(stored(2, length), noise(2, length));
        assert_eq!(stored(2, length), noise(2, length));
        assert_eq!(stored::peek(2, length), None);
        assert_eq!(stored(1, 20), noise(1, 20));
    });
    let stats = stats(&runtime, "stored");
    assert_eq!((stats.computations, stats.stores_l2, stats.evictions_oversized), (3, 1, 2));
}

#[test]
fn room_is_given_back_after_expiry() {
    let Some(_) = Test::new(|_| ()) else { return };
    let folder = folder();
    let (runtime, clock) = with_clock(folder.path());
    runtime.with(|| {
        (0..400).for_each(|key| drop(short_lived(key, 12_000)));
        future::block_on(runtime.close()).unwrap();
        assert!(taken(folder.path()) > 4 * MIB);
        clock.advance(Duration::from_secs(120));
        until("room to be given back", || (taken(folder.path()) < MIB).then_some(()));
        assert_eq!(short_lived(1, 12_000), noise(1, 12_000));
    });
}
