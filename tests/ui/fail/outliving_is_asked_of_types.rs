use larder::cached;
use std::rc::Rc;

struct Db;

#[cached(ttl = "1m", refresh = "10s", skip(db))]
fn borrowed(id: u64, db: &Db) -> u64 {
    id
}

#[cached(ttl = "1m", refresh = "10s", skip(db))]
fn kept(id: u64, db: Rc<u8>) -> u64 {
    id
}

fn main() {}
