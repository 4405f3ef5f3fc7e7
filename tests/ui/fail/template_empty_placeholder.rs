use larder::cached;

#[cached(tags("user:{}"))]
fn empty(id: u64) -> u64 {
    id
}

fn main() {}
