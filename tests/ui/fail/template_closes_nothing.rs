use larder::cached;

#[cached(key = "user:{id}}")]
fn closes_nothing(id: u64) -> u64 {
    id
}

fn main() {}
