use larder::cached;

#[cached(ttl = "1m", timeout = "50ms")]
fn without_a_former_value(id: u64) -> u64 {
    id
}

#[cached(deadline = "2s")]
fn without_a_fallback(id: u64) -> u64 {
    id
}

fn zero(_: u64) -> u64 {
    0
}

#[cached(fallback = zero)]
fn without_a_deadline(id: u64) -> u64 {
    id
}

fn main() {}
