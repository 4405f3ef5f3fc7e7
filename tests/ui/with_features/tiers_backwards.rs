use larder::cached;

#[cached(tier = ["l2", "l1"])]
fn backwards(id: u64) -> u64 {
    id
}

fn main() {}
