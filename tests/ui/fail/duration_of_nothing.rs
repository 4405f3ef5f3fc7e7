use larder::cached;

#[cached(ttl = "0s")]
fn nothing(id: u64) -> u64 {
    id
}

fn main() {}
