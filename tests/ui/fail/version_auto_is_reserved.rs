use larder::cached;

#[cached(version = auto)]
fn by_tokens(id: u64) -> u64 {
    id
}

fn main() {}
