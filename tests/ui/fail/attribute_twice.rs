use larder::cached;

#[cached]
#[cached(ttl = "1h")]
fn twice(id: u64) -> u64 {
    id
}

fn main() {}
