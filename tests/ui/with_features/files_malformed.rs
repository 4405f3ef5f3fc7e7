use larder::cached;

#[cached(files())]
fn empty(path: &str) -> usize {
    path.len()
}

#[cached(files = path)]
fn assigned(path: &str) -> usize {
    path.len()
}

#[cached(files(path other))]
fn without_comma(path: &str) -> usize {
    path.len()
}

fn main() {}
