#![allow(unused_variables)]

use larder::cached;

#[cached(tags("user:{uid}", "tenant:{self.tenant}"))]
fn in_a_tag(id: u64, name: &str) -> u64 {
    id
}

#[cached(key = "user:{uid}")]
fn in_a_key(id: u64) -> u64 {
    id
}

#[cached(tags("user:{id}"))]
fn without_arguments() -> u64 {
    7
}

fn main() {}
