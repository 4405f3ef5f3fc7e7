use larder::cached;

#[cached(when = enabled)]
fn unknown(id: u64) -> u64 {
    id
}

fn main() {}
