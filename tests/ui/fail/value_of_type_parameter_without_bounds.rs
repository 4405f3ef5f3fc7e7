use larder::cached;

#[cached(skip(value))]
fn wrapped<T>(id: u64, value: T) -> Vec<T> {
    vec![value]
}

fn main() {}
