use larder::cached;

#[cached(tags("user:{id + 1}"))]
fn operator(id: u64) -> u64 {
    id
}

#[cached(key = "user:{name.get(0)}")]
fn method_with_arguments(name: &str) -> usize {
    name.len()
}

fn main() {}
