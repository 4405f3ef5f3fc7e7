use larder::cached;

#[cached("ttl" = "1h", capacity = 10)]
fn named_by_a_string(id: u64) -> u64 {
    id
}

fn main() {}
