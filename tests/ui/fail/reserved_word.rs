use larder::cached;

#[cached(refresh = "auto")]
fn with_refresh(id: u64) -> u64 {
    id
}

#[cached(timeout = "50ms")]
fn with_timeout(id: u64) -> u64 {
    id
}

#[cached(deadline = "2s")]
fn with_deadline(id: u64) -> u64 {
    id
}

#[cached(fallback = path::to::function)]
fn with_fallback(id: u64) -> u64 {
    id
}

#[cached(batch = ids)]
fn with_batch(id: u64) -> u64 {
    id
}

#[cached(batch_of = other)]
fn with_batch_of(id: u64) -> u64 {
    id
}

fn main() {}
