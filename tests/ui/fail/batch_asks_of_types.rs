use larder::cached;
use std::collections::HashMap;

#[cached(batch = ids)]
fn no_values_by_id(ids: &[u64]) -> u64 {
    0
}

struct Pool;

#[cached(batch = ids, skip(pool))]
fn takes_what_it_can_not_take_twice(ids: &[u64], pool: Pool) -> HashMap<u64, u64> {
    HashMap::new()
}

fn main() {}
