use larder::cached;

#[cached(files(path))]
fn named(path: &str) -> usize {
    path.len()
}

#[cached(files)]
fn found(path: &str) -> usize {
    path.len()
}

fn main() {}
