use larder::cached;

#[cached(key)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(key())]
fn empty(id: u64) -> u64 {
    id
}

#[cached(key = id)]
fn word(id: u64) -> u64 {
    id
}

#[cached(key(id name))]
fn without_comma(id: u64, name: u64) -> u64 {
    id + name
}

fn main() {}
