use larder::cached;

fn seconds(out: &u64) -> u64 {
    *out
}

#[cached(ttl_for = seconds)]
fn returns_seconds(id: u64) -> u64 {
    id
}

fn main() {}
