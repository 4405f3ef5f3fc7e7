use larder::cached;

#[cached(tags)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(tags())]
fn empty(id: u64) -> u64 {
    id
}

#[cached(tags(user))]
fn word(id: u64) -> u64 {
    id
}

#[cached(tags = 7)]
fn number(id: u64) -> u64 {
    id
}

fn main() {}
