use larder::cached;

#[cached(tier)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(tier())]
fn empty(id: u64) -> u64 {
    id
}

#[cached(tier = 1)]
fn number(id: u64) -> u64 {
    id
}

#[cached(tier = l1)]
fn word(id: u64) -> u64 {
    id
}

#[cached(tier(1))]
fn list_of_numbers(id: u64) -> u64 {
    id
}

fn main() {}
