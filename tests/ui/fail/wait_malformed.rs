use larder::cached;

#[cached(wait)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(wait = 30)]
fn number(id: u64) -> u64 {
    id
}

fn main() {}
