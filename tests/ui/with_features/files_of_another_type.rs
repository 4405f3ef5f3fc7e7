use larder::cached;

#[cached(files(id))]
fn number(id: u64) -> u64 {
    id
}

#[cached(files)]
fn pair(path: (u64, &str)) -> u64 {
    path.0
}

fn main() {}
