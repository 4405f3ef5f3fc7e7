use larder::cached;

#[cached(codec = "postcard")]
fn postcard(id: u64) -> u64 {
    id
}

#[cached(compress = "zstd")]
fn zstd(id: u64) -> u64 {
    id
}

fn main() {}
