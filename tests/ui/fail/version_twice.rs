use larder::cached;

#[cached(version = 2, version = auto)]
fn twice(id: u64) -> u64 {
    id
}

fn main() {}
