use larder::cached;

#[cached(crate)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(crate = "larder")]
fn string(id: u64) -> u64 {
    id
}

fn main() {}
