use larder::cached;

#[cached(key = "users")]
fn shared_by_all(id: u64) -> u64 {
    id
}

fn main() {}
