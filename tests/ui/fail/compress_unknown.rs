use larder::cached;

#[cached(compress = "gzip")]
fn unknown(id: u64) -> u64 {
    id
}

fn main() {}
