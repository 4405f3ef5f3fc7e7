use larder::cached;

#[cached(tags("user:{id"))]
fn never_closed(id: u64) -> u64 {
    id
}

fn main() {}
