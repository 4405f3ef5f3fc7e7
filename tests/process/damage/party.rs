//! Who uses the damaged folder: a runtime of this process, or one of another.

use crate::child::{Child, Inside, hear, say};
use crate::words::Words;
use larder::{Runtime, cached};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, OnceLock};

pub(super) const KEYS: u64 = 12;

/// Tests have data of their own.
pub(super) const CLOSED: usize = 0;
pub(super) const OPEN: usize = 1;

static DATA: [OnceLock<Arc<Words>>; 2] = [const { OnceLock::new() }; 2];

thread_local! {
    /// How many bodies ran on this thread.
    static COMPUTED: Cell<u64> = const { Cell::new(0) };
}

/// The data behind: a word for each key.
pub(super) fn share(path: &Path, world: usize) -> Arc<Words> {
    Arc::clone(DATA[world].get_or_init(|| Arc::new(Words::map(path, KEYS as usize))))
}

/// A value that knows what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sealed {
    key: u64,
    data: u64,
    filling: Vec<u8>,
    check: u64,
}

impl Sealed {
    fn new(key: u64, data: u64) -> Self {
        // From a few bytes to several pages of the store.
        let length = [3, 40, 900, 4_000, 20_000][(key % 5) as usize];
        let mut filling = vec![0; length];
        fastrand::Rng::with_seed(key << 32 | data).fill(&mut filling);
        let mut value = Self { key, data, filling, check: 0 };
        value.check = value.sum();
        value
    }

    fn sum(&self) -> u64 {
        let words = self
            .filling
            .chunks(8)
            .map(|chunk| chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        let start = self.key ^ self.data << 7 ^ (self.filling.len() as u64) << 48;
        words.fold(start, |sum, word| {
            (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(9)
        })
    }
}

fn compute(world: usize, key: u64) -> Sealed {
    COMPUTED.set(COMPUTED.get() + 1);
    let data = DATA[world].get().expect("it is shared first").all();
    Sealed::new(key, data[key as usize].load(SeqCst))
}

/// On the disk alone, so that each hit is a read.
#[cached(tier = "l2", ttl = "1h", tags("damage:{key}"))]
fn on_disk(world: usize, key: u64) -> Sealed {
    compute(world, key)
}

/// In memory as well.
#[cached(tier = "l1,l2", ttl = "1h", tags("damage:{key}"))]
fn in_memory(world: usize, key: u64) -> Sealed {
    compute(world, key)
}

/// What came of a call of both functions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    key: u64,
    data: u64,
    /// Whether it was read from nowhere.
    pub(super) computed: bool,
}

impl Answer {
    /// Checks that it is the value of this key and data.
    pub(super) fn is_of(self, key: u64, data: u64) -> Self {
        assert_eq!(
            (self.key, self.data),
            (key, data),
            "another value, or one that was invalidated"
        );
        self
    }
}

pub(super) enum Party {
    Here(Runtime, usize),
    There(Child),
}

thread_local! {
    static WORLD: Cell<usize> = const { Cell::new(0) };
}

/// Has parties opened on this thread use this data.
pub(super) fn in_world<R>(world: usize, run: impl FnOnce() -> R) -> R {
    WORLD.set(world);
    run()
}

impl Party {
    pub(super) fn open(directory: &Path) -> Self {
        Self::Here(runtime(directory), WORLD.get())
    }

    pub(super) fn open_in(mut child: Child, directory: &Path) -> Self {
        assert_eq!(child.ask(&format!("open {}", directory.display())), "open");
        Self::There(child)
    }

    pub(super) fn call(&mut self, key: u64) -> Answer {
        match self {
            Self::Here(runtime, world) => runtime.with(|| call(*world, key)),
            Self::There(child) => {
                let answer = child.ask(&format!("call {key}"));
                let words: Vec<u64> = answer.split(' ').map(|it| it.parse().unwrap()).collect();
                Answer { key: words[0], data: words[1], computed: words[2] == 1 }
            }
        }
    }

    /// Forgets a key. False if others could not be told.
    pub(super) fn invalidate(&mut self, key: u64) -> bool {
        match self {
            Self::Here(runtime, _) => runtime.with(|| invalidate(key)),
            Self::There(child) => child.ask(&format!("invalidate {key}")) == "true",
        }
    }
}

fn runtime(directory: &Path) -> Runtime {
    Runtime::builder().namespace("tests").dir(directory).build().unwrap()
}

fn call(world: usize, key: u64) -> Answer {
    let before = COMPUTED.get();
    let values = [on_disk(world, key), in_memory(world, key)];
    for value in &values {
        assert_eq!((value.key, value.check), (key, value.sum()), "it is not as it was made");
    }
    assert_eq!(values[0].data, values[1].data, "one of them has been invalidated");
    Answer { key, data: values[0].data, computed: COMPUTED.get() > before }
}

fn invalidate(key: u64) -> bool {
    larder::blocking::invalidate_tag(format!("damage:{key}")).is_ok()
}

/// In the other process: does what it is told to.
pub(super) fn serve(inside: &Inside) {
    share(&inside.directory, OPEN);
    let mut runtime: Option<Runtime> = None;
    while let Some(line) = hear() {
        let (what, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let with = |work: &dyn Fn(u64) -> String| {
            let runtime = runtime.as_ref().expect("it is open");
            runtime.with(|| work(rest.parse().unwrap()))
        };
        let said = match what {
            "open" => {
                runtime = Some(self::runtime(Path::new(rest)));
                "open".to_owned()
            }
            "close" => {
                runtime = None;
                "closed".to_owned()
            }
            "call" => with(&|key| {
                let Answer { key, data, computed } = call(OPEN, key);
                format!("{key} {data} {}", u64::from(computed))
            }),
            _ => with(&|key| invalidate(key).to_string()),
        };
        say(&said);
    }
}
