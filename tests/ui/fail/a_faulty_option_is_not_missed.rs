#![allow(unused_variables)]

use larder::cached;

struct Engine {
    tenant: u64,
}

impl Engine {
    #[cached(kye(self.tenant, id))]
    fn misspelt(&self, id: u64) -> u64 {
        id
    }

    #[cached(skip = self)]
    fn malformed(&self, id: u64, log: &dyn Fn(&str)) -> u64 {
        id
    }

    #[cached(handel = none)]
    fn without_handle(id: u64) -> Option<Self> {
        None
    }
}

#[cached(weigh = String::len, capacity = "1k")]
fn weighed(id: u64) -> String {
    id.to_string()
}

fn main() {}
