use larder::cached;

#[cached(codec = "bincod")]
fn misspelt(id: u64) -> u64 {
    id
}

#[cached(codec = "json")]
fn unknown(id: u64) -> u64 {
    id
}

fn main() {}
