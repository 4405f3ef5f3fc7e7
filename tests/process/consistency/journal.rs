//! What happened, written down by each thread in a file of its own: mapped, so that what a killed
//! process wrote is there all the same.
//!
//! 1. A record is read only once its first word is there, which is written last.
//! 2. An invalidation is written when it starts, and its end when it has returned: one without an end
//!    may have been cut off.

use super::functions::{Function, Name, Value, next};
use crate::words::Words;
use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const RECORD: usize = 8;
/// Files of this many records take room only as they fill.
const RECORDS: usize = 1 << 20;

const CALL: u64 = 1;
const BODY: u64 = 2;
const INVALIDATION: u64 = 3;

/// A call that returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) start: u64,
    pub(super) function: Function,
    pub(super) key: u64,
    pub(super) born: u64,
    pub(super) inner: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Invalidation {
    pub(super) start: u64,
    /// Nothing if it has not returned.
    pub(super) end: Option<u64>,
    pub(super) name: Name,
}

/// A body that began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    pub(super) born: u64,
}

/// What one process wrote.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) calls: Vec<Call>,
    pub(super) bodies: Vec<Body>,
    pub(super) invalidations: Vec<Invalidation>,
}

struct Journal {
    words: Words,
    written: usize,
}

thread_local! {
    static JOURNAL: RefCell<Option<Journal>> = const { RefCell::new(None) };
}

/// Has this thread write what it does.
pub(super) fn keep(path: &Path) {
    let journal = Journal { words: Words::map(path, RECORD * RECORDS), written: 0 };
    JOURNAL.with_borrow_mut(|it| *it = Some(journal));
}

/// Whether there is room for more.
pub(super) fn has_room() -> bool {
    JOURNAL.with_borrow(|it| it.as_ref().is_some_and(|it| it.written + 16 < RECORDS))
}

/// Notes that a body begins; says when.
pub(super) fn begin(function: Function, key: u64) -> u64 {
    let born = next();
    write([BODY, born, function as u64, key, 0, 0, 0]);
    born
}

pub(super) fn returned(start: u64, value: &Value) {
    let Value { function, key, born, inner, .. } = *value;
    write([CALL, start, function as u64, key, born, inner, 0]);
}

/// Notes an invalidation around it.
pub(super) async fn invalidate(name: Name) {
    let [kind, one, other] = name.words();
    let place = write([INVALIDATION, next(), kind, one, other, 0, 0]);
    name.invalidate().await.expect("the machine can be told");
    let end = next();
    JOURNAL.with_borrow(|journal| {
        let journal = journal.as_ref().expect("it is kept");
        journal.record(place)[5].store(end, Release);
    });
}

fn write(words: [u64; RECORD - 1]) -> usize {
    JOURNAL.with_borrow_mut(|journal| {
        let journal = journal.as_mut().expect("it is kept");
        let place = journal.written;
        journal.written += 1;
        let record = journal.record(place);
        record.iter().zip(words).skip(1).for_each(|(word, value)| word.store(value, Relaxed));
        record[0].store(words[0], Release);
        place
    })
}

impl Journal {
    fn record(&self, place: usize) -> &[AtomicU64] {
        &self.words.all()[RECORD * place..][..RECORD]
    }
}

/// Reads what one process wrote.
pub(super) fn read(directory: &Path, process: &str) -> Account {
    let mut account = Account::default();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.strip_prefix(process).is_some_and(|rest| rest.starts_with('.')) {
            account.read(&path);
        }
    }
    account
}

impl Account {
    fn read(&mut self, path: &Path) {
        let journal = Journal { words: Words::map(path, RECORD * RECORDS), written: 0 };
        for place in 0..RECORDS {
            let record = journal.record(place);
            let kind = record[0].load(Acquire);
            let [start, a, b, c, d] = [1, 2, 3, 4, 5].map(|at| record[at].load(Acquire));
            match kind {
                CALL => {
                    let function = Function::by_number(a);
                    self.calls.push(Call { start, function, key: b, born: c, inner: d });
                }
                BODY => self.bodies.push(Body { born: start }),
                INVALIDATION => {
                    let name = Name::of_words([a, b, c]);
                    let end = (d > 0).then_some(d);
                    self.invalidations.push(Invalidation { start, end, name });
                }
                _ => break,
            }
        }
    }
}
