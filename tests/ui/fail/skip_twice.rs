#![allow(unused_variables)]

use larder::cached;

#[cached(skip(db, db))]
fn twice(id: u64, db: u64) -> u64 {
    id
}

fn main() {}
