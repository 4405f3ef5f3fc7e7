use larder::cached;

#[cached(tags("user:{id:>8}"))]
fn specified(id: u64) -> u64 {
    id
}

fn main() {}
