use larder::cached;

#[cached(ttl = "1h", wait = "1s", ttl = "2h")]
fn repeated(id: u64) -> u64 {
    id
}

fn main() {}
