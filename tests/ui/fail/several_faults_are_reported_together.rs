#![allow(unused_variables)]

use larder::cached;

#[cached(tll = "1h", ttl = "an hour", capacity = 0, tags("user:{uid}"), batch = ids, wait = )]
fn all_wrong(id: u64, name: &mut String) -> &str {
    name
}

fn main() {}
