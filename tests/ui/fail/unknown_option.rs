use larder::cached;

#[cached(tll = "1h")]
fn close_to_a_known_one(id: u64) -> u64 {
    id
}

#[cached(size = 10)]
fn close_to_none(id: u64) -> u64 {
    id
}

fn main() {}
