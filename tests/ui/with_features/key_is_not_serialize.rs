use larder::cached;

#[derive(Clone, Hash, PartialEq, Eq)]
struct Bare(u64);

#[cached(tier = "l1,l2")]
fn plain(id: u64, bare: Bare) -> u64 {
    id + bare.0
}

#[cached(tier = "l2", key(bare))]
async fn by_expression(id: u64, bare: &Bare) -> u64 {
    id + bare.0
}

fn main() {}
