#![allow(unused_variables)]

use larder::cached;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

#[cached(batch = ids, refresh = "1m", ttl = "1h")]
fn of_borrowed(ids: &[&str]) -> HashMap<String, u64> {
    HashMap::new()
}

#[cached(batch = ids, refresh = "1m", ttl = "1h")]
fn for_ever(ids: &'static [u64]) -> HashMap<u64, u64> {
    HashMap::new()
}

struct Shop;

impl Shop {
    #[cached(batch = ids, timeout = "1s", ttl = "1h", stale = "1h", skip(self))]
    fn prices(&self, ids: &[u64]) -> HashMap<u64, u64> {
        HashMap::new()
    }
}

#[cached(batch = ids, refresh = "1m", ttl = "1h", skip(used))]
fn of_what_is_used_here(ids: &[u64], used: &Arc<Cell<u64>>) -> HashMap<u64, u64> {
    HashMap::new()
}

fn main() {}
