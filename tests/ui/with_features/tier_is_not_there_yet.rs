use larder::cached;

#[cached(tier(l3))]
fn redis(id: u64) -> u64 {
    id
}

#[cached(tier = "l1,l2,l3")]
fn all(id: u64) -> u64 {
    id
}

#[cached(ttl(l1 = "30s", l3 = "5m"))]
fn by_ttl(id: u64) -> u64 {
    id
}

fn main() {}
