use larder::cached;

#[cached(name)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(name = decide)]
fn word(id: u64) -> u64 {
    id
}

#[cached(name = " ")]
fn blank(id: u64) -> u64 {
    id
}

fn main() {}
