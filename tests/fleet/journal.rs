//! What happened, written down by each thread in a file of its own: mapped, so that what a killed
//! process wrote is there all the same.
//!
//! 1. A record is read only once its first word is there, which is written last. What is added to it
//!    later is one word, or stands before one that says so.
//! 2. Calls of one key that have the same value are one record: when the first of them began and
//!    ended, and when the last began. For one value, a call is the less in the right the later it
//!    begins, so those in between need not be looked at.

use crate::functions::{Function, Value};
use crate::moment::next;
use crate::names::Name;
use crate::words::Words;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const RECORD: usize = 8;
/// Files of this many records take room only as they fill.
const RECORDS: usize = 1 << 19;

const CALLS: u64 = 1;
const BODY: u64 = 2;
const INVALIDATION: u64 = 3;
const CLEAR: u64 = 4;

/// Where a record of each kind has what is added to it.
const LAST: usize = 7;
const BODY_END: usize = 4;
const INVALIDATION_END: usize = 6;

/// Calls of one thread, one after the other, that had the same value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    pub(crate) function: Function,
    pub(crate) key: u64,
    pub(crate) born: u64,
    pub(crate) inner: u64,
    /// When the first of them began and ended.
    pub(crate) first: (u64, u64),
    /// When the last of them began.
    pub(crate) last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Told,
    Pending,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Invalidation {
    pub(crate) start: u64,
    /// When it returned and with what. Nothing if it has not.
    pub(crate) end: Option<(u64, Outcome)>,
    pub(crate) name: Name,
}

/// A body that ended, and its call with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    pub(crate) function: Function,
    pub(crate) key: u64,
    pub(crate) born: u64,
    pub(crate) end: u64,
    /// When its call had begun, if the tier was well for the process from then until it ended.
    pub(crate) called: Option<u64>,
}

/// What one process wrote.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) calls: Vec<Calls>,
    pub(crate) bodies: Vec<Body>,
    pub(crate) invalidations: Vec<Invalidation>,
    /// From when to when it was seen that nothing waits to be delivered, in order.
    pub(crate) clear: Vec<(u64, u64)>,
}

struct Journal {
    words: Words,
    written: usize,
    /// The last record of each key's calls, and the value's moments.
    latest: HashMap<(Function, u64), (usize, u64, u64)>,
    /// The bodies that this thread ran since it was asked.
    bodies: Vec<usize>,
}

thread_local! {
    static JOURNAL: RefCell<Option<Journal>> = const { RefCell::new(None) };
}

/// Has this thread write what it does.
pub(crate) fn keep(path: &Path) {
    JOURNAL.with_borrow_mut(|it| *it = Some(Journal::open(path)));
}

/// Whether there is room for more.
pub(crate) fn has_room() -> bool {
    with(|journal| journal.written + 64 < RECORDS)
}

/// A body that runs.
pub(crate) struct Running {
    pub(crate) born: u64,
    place: usize,
}

/// Notes that a body begins.
pub(crate) fn begin(function: Function, key: u64) -> Running {
    let born = next();
    let place = write([BODY, born, function as u64, key, 0, 0, 0, 0]);
    with(|journal| journal.bodies.push(place));
    Running { born, place }
}

impl Running {
    pub(crate) fn end(self) {
        let end = next();
        with(|journal| journal.record(self.place)[BODY_END].store(end, Release));
    }
}

/// Notes a call, which began at a moment and ends now.
pub(crate) fn returned(start: u64, value: &Value) {
    let end = next();
    let Value { function, key, born, inner } = *value;
    let latest = with(|journal| journal.latest.get(&(function, key)).copied());
    match latest {
        Some((place, its_born, its_inner)) if (its_born, its_inner) == (born, inner) => {
            with(|journal| journal.record(place)[LAST].store(start, Release));
        }
        _ => {
            let what = (function as u64) << 32 | key;
            let place = write([CALLS, start, what, born, inner, end, 0, start]);
            with(|journal| journal.latest.insert((function, key), (place, born, inner)));
        }
    }
}

/// Whether a body ran on this thread since this was last asked. Their call began at `called`, unless
/// the tier was not well meanwhile.
pub(crate) fn account_for_bodies(called: impl FnOnce() -> Option<u64>) {
    let bodies = with(|journal| std::mem::take(&mut journal.bodies));
    if bodies.is_empty() {
        return;
    }
    if let Some(called) = called() {
        for place in bodies {
            with(|journal| journal.record(place)[5].store(called, Release));
        }
    }
}

/// Notes an invalidation around it.
pub(crate) async fn invalidate(name: Name) -> Outcome {
    let [kind, one, other] = name.words();
    let place = write([INVALIDATION, next(), kind, one, other, 0, 0, 0]);
    let outcome = match name.invalidate().await {
        Ok(()) => Outcome::Told,
        Err(error) if error.kind() == larder::ErrorKind::Pending => Outcome::Pending,
        Err(error) => panic!("an invalidation is applied, or waits: {error}"),
    };
    let end = next();
    with(|journal| {
        let record = journal.record(place);
        record[5].store(u64::from(outcome == Outcome::Pending), Relaxed);
        record[INVALIDATION_END].store(end, Release);
    });
    outcome
}

/// Notes that nothing waited to be delivered, as was asked for from a moment until now.
pub(crate) fn clear(asked: u64) {
    write([CLEAR, asked, next(), 0, 0, 0, 0, 0]);
}

fn with<R>(what: impl FnOnce(&mut Journal) -> R) -> R {
    JOURNAL.with_borrow_mut(|journal| what(journal.as_mut().expect("it is kept")))
}

fn write(words: [u64; RECORD]) -> usize {
    with(|journal| {
        let place = journal.written;
        journal.written += 1;
        let record = journal.record(place);
        record.iter().zip(words).skip(1).for_each(|(word, value)| word.store(value, Relaxed));
        record[0].store(words[0], Release);
        place
    })
}

impl Journal {
    fn open(path: &Path) -> Self {
        let words = Words::map(path, RECORD * RECORDS);
        Self { words, written: 0, latest: HashMap::new(), bodies: Vec::new() }
    }

    fn record(&self, place: usize) -> &[AtomicU64] {
        &self.words.all()[RECORD * place..][..RECORD]
    }
}

/// Reads what one process wrote.
pub(crate) fn read(directory: &Path, process: &str) -> Account {
    let mut account = Account::default();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.strip_prefix(process).is_some_and(|rest| rest.starts_with('.')) {
            account.read(&Journal::open(&path));
        }
    }
    account.clear.sort_unstable();
    account
}

impl Account {
    fn read(&mut self, journal: &Journal) {
        for place in 0..RECORDS {
            let record = journal.record(place);
            let kind = record[0].load(Acquire);
            // From behind: what is added last says that the rest is there.
            let mut words = [0; RECORD];
            words.iter_mut().zip(record).rev().for_each(|(to, word)| *to = word.load(Acquire));
            match (kind, words) {
                (CALLS, [_, start, what, born, inner, end, _, last]) => {
                    let (function, key) = (Function::by_number(what >> 32), what & 0xffff_ffff);
                    self.calls.push(Calls {
                        function,
                        key,
                        born,
                        inner,
                        first: (start, end),
                        last,
                    });
                }
                (BODY, [_, born, function, key, end, called, ..]) if end > 0 => {
                    let function = Function::by_number(function);
                    let called = Some(called).filter(|called| *called > 0);
                    self.bodies.push(Body { function, key, born, end, called });
                }
                (BODY, _) => {}
                (INVALIDATION, [_, start, kind, one, other, waits, end, _]) => {
                    let outcome = if waits > 0 { Outcome::Pending } else { Outcome::Told };
                    let end = (end > 0).then_some((end, outcome));
                    let name = Name::of_words([kind, one, other]);
                    self.invalidations.push(Invalidation { start, end, name });
                }
                (CLEAR, [_, asked, answered, ..]) => self.clear.push((asked, answered)),
                _ => break,
            }
        }
    }
}
