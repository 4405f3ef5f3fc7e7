use larder::cached;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Bare(u64);

#[cached(tags("bare:{bare}"))]
fn in_a_tag(bare: Bare) -> u64 {
    bare.0
}

#[cached(key = "bare:{bare}")]
fn in_a_key(bare: Bare) -> u64 {
    bare.0
}

fn main() {}
