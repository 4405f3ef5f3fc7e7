#![allow(unused_variables)]

use larder::cached;

fn negative(out: &String) -> i64 {
    -1
}

#[cached(capacity = 10, weigh = negative)]
fn returns_signed(id: u64) -> String {
    id.to_string()
}

fn main() {}
