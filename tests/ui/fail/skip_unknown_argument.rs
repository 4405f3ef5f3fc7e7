#![allow(unused_variables)]

use larder::cached;

#[cached(skip(database))]
fn unknown(id: u64, db: u64) -> u64 {
    id
}

#[cached(skip(self))]
fn without_receiver(id: u64) -> u64 {
    id
}

#[cached(skip(anything))]
fn without_arguments() -> u64 {
    7
}

fn main() {}
