use larder::cached;

#[cached(tier = "l1,l4")]
fn unknown_beside_known(id: u64) -> u64 {
    id
}

#[cached(tier(disk))]
fn unknown_word(id: u64) -> u64 {
    id
}

fn main() {}
