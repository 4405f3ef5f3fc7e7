#![allow(unused_variables)]

use larder::cached;

struct Db;

#[cached(key(id), skip(db))]
fn expressions(id: u64, db: &Db) -> u64 {
    id
}

#[cached(key = "user:{id}", skip(db))]
fn readable(id: u64, db: &Db) -> u64 {
    id
}

fn main() {}
