use larder::cached;

#[cached(when)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(when(id > 0))]
fn list(id: u64) -> u64 {
    id
}

#[cached(when = id >)]
fn half(id: u64) -> u64 {
    id
}

fn main() {}
