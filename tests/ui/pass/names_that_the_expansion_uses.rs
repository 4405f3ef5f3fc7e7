#![allow(dead_code, non_camel_case_types, unused_imports, clippy::all)]

use ::larder::cached as attribute;

mod core {}
mod std {}
mod larder_runtime {}

struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct Call;
struct Found;
struct Hit;
struct Miss;
struct Box;
struct String;
struct Vec;
struct Site;
struct Probe;
struct Arg;
struct Verdict;
struct Entry;
struct Error;
struct Runtime;
struct u64;
struct bool;
struct usize;

trait Blanket {
    fn part(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn kind(&self) -> u8 {
        0
    }
    fn compute(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn compute_async(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn invalidate(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn peek(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn explain(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn call_context(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn tag(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn key(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn on(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn and(self) -> u8
    where
        Self: Sized,
    {
        0
    }
    fn keep_if(self) -> u8
    where
        Self: Sized,
    {
        0
    }
}

impl<T> Blanket for T {}

macro_rules! format_args {
    ($($any:tt)*) => {
        compile_error!("not this one")
    };
}
macro_rules! module_path {
    ($($any:tt)*) => {
        compile_error!("not this one")
    };
}

fn look_up() {}
fn pass() {}
fn entry() {}
fn keep(_: &u32) -> ::core::primitive::bool {
    true
}

const CAPACITY: ::core::primitive::usize = 7;

#[attribute(
    tags("a:{call}"),
    key = "{call}:{miss}:{found}",
    capacity = CAPACITY,
    when = call < 100,
    cache_if = keep
)]
fn plain(call: u32, miss: u32, found: u32, view: u32) -> u32 {
    let out = call + miss + found;
    out + view
}

#[attribute]
async fn later(out: u32, declared: u32, runtime: u32, site: u32) -> u32 {
    out + declared + runtime + site
}

// An argument with the name of its function, a function with that of a method of its companion.
#[attribute]
fn id(id: u32) -> u32 {
    id
}

#[attribute]
fn invalidate(value: u32) -> u32 {
    value
}

mod larder {
    use ::larder::cached;

    #[cached(ttl = "1h")]
    pub(crate) fn inside(id: u32) -> u32 {
        id
    }
}

struct Engine;

impl Engine {
    #[attribute(skip(self), handle = entry)]
    fn decide(&self, id: u32) -> u32 {
        id
    }
}

fn main() {
    assert_eq!(plain(1, 2, 3, 4), 10);
    assert_eq!(futures_lite::future::block_on(later(1, 2, 3, 4)), 10);
    assert_eq!(id(1), 1);
    assert!(id::invalidate(1).is_ok());
    assert_eq!(id::refresh(1), 1);
    assert_eq!(invalidate(1), 1);
    assert!(invalidate::invalidate(1).is_ok());
    assert_eq!(larder::inside(1), 1);
    assert_eq!(larder::inside::refresh(1), 1);
    assert_eq!(Engine.decide(1), 1);
    assert!(::larder::blocking::Entry::invalidate(&Engine.entry(1)).is_ok());
}
