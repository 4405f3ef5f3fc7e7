use larder::cached;

#[cached(files(config))]
fn unknown(path: &str) -> usize {
    path.len()
}

#[cached(files(std::path::Path::new("a"), path))]
fn constant(path: &str) -> usize {
    path.len()
}

fn main() {}
