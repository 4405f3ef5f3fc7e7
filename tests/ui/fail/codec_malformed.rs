use larder::cached;

#[cached(codec)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(codec = postcard)]
fn word(id: u64) -> u64 {
    id
}

#[cached(codec("postcard"))]
fn listed(id: u64) -> u64 {
    id
}

fn main() {}
