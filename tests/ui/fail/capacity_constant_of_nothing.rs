use larder::cached;

const NOTHING: usize = 0;
const LESS: i64 = -1;

#[cached(capacity = NOTHING)]
fn nothing(id: u64) -> u64 {
    id
}

#[cached(capacity = LESS)]
fn less(id: u64) -> u64 {
    id
}

fn main() {}
