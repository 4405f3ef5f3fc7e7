use larder::cached;

#[cached(ttl = "1h", stale, grace = 10, jitter = "1/10")]
fn not_said(id: u64) -> u64 {
    id
}

#[cached(ttl = "1h", stale = "0s", jitter = "101%")]
fn none_or_too_much(id: u64) -> u64 {
    id
}

fn main() {}
