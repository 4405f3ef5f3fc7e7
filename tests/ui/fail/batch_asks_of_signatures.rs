#![allow(unused_variables)]

use larder::cached;
use std::collections::HashMap;

#[cached(batch = all)]
fn named_otherwise(ids: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

#[cached(batch = id)]
fn of_one(id: u64) -> HashMap<u64, u64> {
    HashMap::new()
}

#[cached(batch = ids)]
fn taking_apart(ids: &[u64], (one, other): (u64, u64)) -> HashMap<u64, u64> {
    HashMap::new()
}

#[cached(batch = ids, tags("user:{ids}"))]
fn tagged_by_all(ids: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

#[cached(batch = users)]
fn with_one_more(user: u64, users: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

#[cached(batch = ids)]
fn of_many(ids: &[u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

#[cached(batch_of = of_many, ttl = "1h")]
fn with_more(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
