use larder::cached;

#[cached(capacity)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(capacity = "many")]
fn words(id: u64) -> u64 {
    id
}

#[cached(capacity = -1)]
fn negative(id: u64) -> u64 {
    id
}

#[cached(capacity = 99999999999999999999)]
fn too_many(id: u64) -> u64 {
    id
}

fn main() {}
