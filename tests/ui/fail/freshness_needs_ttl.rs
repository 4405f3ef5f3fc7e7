use larder::cached;

#[cached(stale = "10m", grace = "1h", jitter = "10%")]
fn for_ever(id: u64) -> u64 {
    id
}

// A faulty `ttl` is one fault.
#[cached(ttl = "an hour", stale = "10m")]
fn for_an_hour(id: u64) -> u64 {
    id
}

fn main() {}
