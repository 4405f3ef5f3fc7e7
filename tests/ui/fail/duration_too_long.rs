use larder::cached;

#[cached(ttl = "999999999999d")]
fn too_long(id: u64) -> u64 {
    id
}

fn main() {}
