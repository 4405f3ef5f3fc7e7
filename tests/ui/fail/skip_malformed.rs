use larder::cached;

#[cached(skip)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(skip())]
fn empty(id: u64) -> u64 {
    id
}

#[cached(skip = id)]
fn assigned(id: u64) -> u64 {
    id
}

#[cached(skip(id.0))]
fn expression(id: (u64, u64)) -> u64 {
    id.0
}

fn main() {}
