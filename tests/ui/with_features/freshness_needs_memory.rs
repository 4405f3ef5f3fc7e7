use larder::cached;

#[cached(tier = "l2", ttl = "1h", stale = "10m", grace = "1h", jitter = "10%")]
fn on_disk(id: u64) -> u64 {
    id
}

#[cached(tier = "l3", grace = "1h")]
fn far(id: u64) -> u64 {
    id
}

fn main() {}
