//! C1 and C6 for what a thread keeps at hand: it is never what was invalidated, and never another
//! key's, however many keys there are and however they meet in its tables.

use larder::cached;
use std::cell::Cell;
use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

const KEYS: usize = 3_000;

type Table = [AtomicU64; KEYS];

fn table() -> Table {
    std::array::from_fn(|_| AtomicU64::new(0))
}

/// Numbers that look random and are the same in every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits fit") % below
    }
}

/// Few keys come often and most come seldom, so that copies push each other out.
fn draw(next: &mut impl FnMut(usize) -> usize) -> usize {
    let reach = [10, 300, KEYS][next(3)];
    next(reach)
}

static TEXTS: std::sync::LazyLock<Table> = std::sync::LazyLock::new(table);

#[cached(tags("copies text:{id}"), capacity = 4_000)]
fn text(id: &str) -> String {
    let at: usize = id.parse().expect("a number");
    format!("{id}={}", TEXTS[at].load(SeqCst))
}

#[test]
fn a_text_at_hand_is_the_one_that_stands() {
    let mut next = numbers(1);
    for _ in 0..60_000 {
        let at = draw(&mut next);
        if next(50) == 0 {
            TEXTS[at].fetch_add(1, SeqCst);
            larder::blocking::invalidate_tag(format!("copies text:{at}")).expect("it is recorded");
        }
        assert_eq!(text(&at.to_string()), format!("{at}={}", TEXTS[at].load(SeqCst)));
    }
}

static NUMBERS: std::sync::LazyLock<Table> = std::sync::LazyLock::new(table);

#[cached(tags("copies number:{id}"), capacity = 4_000)]
fn number(id: usize) -> (usize, u64) {
    (id, NUMBERS[id].load(SeqCst))
}

#[test]
fn a_number_at_hand_is_no_older_than_what_another_thread_invalidated() {
    let told: Arc<Table> = Arc::new(table());
    let (start, over) = (Arc::new(Barrier::new(2)), Arc::new(AtomicBool::new(false)));
    let invalidator = thread::spawn({
        let (told, start, over) = (Arc::clone(&told), Arc::clone(&start), Arc::clone(&over));
        move || {
            let mut next = numbers(2);
            start.wait();
            while !over.load(SeqCst) {
                let at = draw(&mut next);
                let now = NUMBERS[at].fetch_add(1, SeqCst) + 1;
                let tag = format!("copies number:{at}");
                larder::blocking::invalidate_tag(&tag).expect("it is recorded");
                told[at].store(now, SeqCst);
            }
        }
    });
    let mut next = numbers(3);
    start.wait();
    for _ in 0..60_000 {
        let at = draw(&mut next);
        let least = told[at].load(SeqCst);
        let (id, version) = number(at);
        assert_eq!(id, at);
        assert!(version >= least, "{version} of {at} was invalidated: {least} stands");
    }
    over.store(true, SeqCst);
    invalidator.join().expect("the invalidator ends");
}

#[cached(capacity = 512)]
fn drawn(id: u64) -> u64 {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    id * 1_000_000 + DRAWN.fetch_add(1, SeqCst)
}

#[test]
fn a_refresh_is_seen_by_its_thread_though_the_entry_had_been_evicted() {
    let before = drawn(1);
    assert_eq!(drawn(1), before);
    let elsewhere = || {
        for other in 2..5_000 {
            assert_eq!(drawn(other), drawn(other));
        }
    };
    thread::spawn(elsewhere).join().expect("all are computed");
    assert_eq!(drawn::peek(1), None, "it makes room for others");
    let refreshed = drawn::refresh(1);
    assert_ne!(refreshed, before);
    assert_eq!(drawn(1), refreshed);
}

#[test]
fn long_texts_are_handed_out_whole() {
    #[cached]
    fn long(id: &str) -> String {
        id.repeat(50)
    }
    for id in ["a", "bcd", "", "a".repeat(200).as_str()] {
        for _ in 0..5 {
            assert_eq!(long(id), id.repeat(50));
        }
    }
}

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

/// A value that owns nothing, and whose clone may panic.
#[derive(Debug, PartialEq)]
struct Touchy(usize);

impl Clone for Touchy {
    fn clone(&self) -> Self {
        assert!(!PANICS.take(), "as it was told to");
        Self(self.0)
    }
}

#[cached(capacity = 4_000)]
fn touchy(id: usize) -> Touchy {
    Touchy(id)
}

#[test]
fn a_clone_that_panics_leaves_nobody_s_value_under_another_key() {
    let mut next = numbers(4);
    let mut panicked = 0;
    for _ in 0..60_000 {
        let id = draw(&mut next);
        PANICS.set(next(3) == 0);
        match catch_unwind(|| touchy(id)) {
            Ok(value) => assert_eq!(value, Touchy(id)),
            Err(_) => panicked += 1,
        }
    }
    assert!(panicked > 0);
}
