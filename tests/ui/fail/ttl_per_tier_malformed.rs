use larder::cached;

#[cached(ttl())]
fn empty(id: u64) -> u64 {
    id
}

#[cached(ttl("30s"))]
fn without_a_tier(id: u64) -> u64 {
    id
}

#[cached(ttl(l4 = "30s"))]
fn unknown_tier(id: u64) -> u64 {
    id
}

#[cached(ttl(l1 = "30s", l1 = "60s"))]
fn tier_twice(id: u64) -> u64 {
    id
}

#[cached(ttl(l1 = 30))]
fn number(id: u64) -> u64 {
    id
}

fn main() {}
