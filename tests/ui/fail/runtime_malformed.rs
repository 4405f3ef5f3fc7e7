use larder::cached;

#[cached(runtime)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(runtime(larder::Runtime::global()))]
fn list(id: u64) -> u64 {
    id
}

fn main() {}
