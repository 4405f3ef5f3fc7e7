use larder::cached;

#[cached(scope)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(scope = session)]
fn word(id: u64) -> u64 {
    id
}

fn main() {}
