use larder::cached;

#[cached(capacity = 0)]
fn nothing(id: u64) -> u64 {
    id
}

fn main() {}
