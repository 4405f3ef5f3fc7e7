use larder::cached;

#[cached(when = id)]
fn number(id: u64) -> u64 {
    id
}

fn main() {}
