use larder::cached;

#[cached(tier = "l1,l1")]
fn twice(id: u64) -> u64 {
    id
}

fn main() {}
