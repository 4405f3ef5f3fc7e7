use larder::cached;

#[cached]
fn counted<T: Clone>(id: u64, value: T) -> u64 {
    id
}

fn main() {}
