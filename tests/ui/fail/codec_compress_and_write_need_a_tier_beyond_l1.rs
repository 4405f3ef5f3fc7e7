use larder::cached;

#[cached(codec = "bincode")]
fn with_codec(id: u64) -> u64 {
    id
}

#[cached(tier = "l1", compress = "lz4")]
fn with_compress(id: u64) -> u64 {
    id
}

#[cached(write = "through")]
fn with_write(id: u64) -> u64 {
    id
}

#[cached(codec = "bincode", compress = "none", write = "behind")]
fn with_all(id: u64) -> u64 {
    id
}

#[cached(tier = "l7", codec = "bincode")]
fn whose_tier_is_faulty(id: u64) -> u64 {
    id
}

fn main() {}
