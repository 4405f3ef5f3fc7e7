use larder::cached;

#[cached(runtime = id)]
fn number(id: u64) -> u64 {
    id
}

fn main() {}
