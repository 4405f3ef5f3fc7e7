use larder::cached;

#[cached(handle = decide_entry)]
fn decide(id: u64) -> u64 {
    id
}

fn main() {}
