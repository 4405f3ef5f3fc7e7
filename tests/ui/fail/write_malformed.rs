use larder::cached;

#[cached(write)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(write = behind)]
fn word(id: u64) -> u64 {
    id
}

#[cached(write = "later")]
fn unknown(id: u64) -> u64 {
    id
}

fn main() {}
