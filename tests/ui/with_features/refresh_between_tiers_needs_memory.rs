use larder::cached;

#[cached(tier = "l2,l3", ttl = "1h", stale = "10m", grace = "1h", refresh = "5m")]
fn between(id: u64) -> u64 {
    id
}

// Of one tier it is known what is near its end.
#[cached(tier = "l3", grace = "1h", refresh = "5m")]
fn far(id: u64) -> u64 {
    id
}

fn main() {}
