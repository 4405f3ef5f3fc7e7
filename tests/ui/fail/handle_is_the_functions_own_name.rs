use larder::cached;

#[cached(handle = own)]
fn own(id: u64) -> u64 {
    id
}

fn main() {}
