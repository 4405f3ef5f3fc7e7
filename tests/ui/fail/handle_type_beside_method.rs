#![allow(unused_variables)]

use larder::cached;

struct Engine;

impl Engine {
    #[cached(skip(self), handle = Decide)]
    fn decide(&self, id: u64) -> u64 {
        id
    }

    #[cached(handle = Create)]
    fn create(id: u64) -> Option<Self> {
        None
    }
}

fn main() {}
