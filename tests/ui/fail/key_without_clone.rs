use larder::cached;

#[derive(PartialEq, Eq, Hash)]
struct Bare(u64);

#[cached]
async fn by_reference(id: u64, bare: &Bare) -> u64 {
    id + bare.0
}

fn main() {}
