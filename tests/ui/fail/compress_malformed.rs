use larder::cached;

#[cached(compress)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(compress = true)]
fn boolean(id: u64) -> u64 {
    id
}

fn main() {}
