use larder::cached;

#[cached]
fn iterator(id: u64) -> impl Iterator<Item = u64> {
    std::iter::once(id)
}

fn main() {}
