use larder::cached;

#[cached(version)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(version = "2")]
fn string(id: u64) -> u64 {
    id
}

#[cached(version = 0)]
fn nothing(id: u64) -> u64 {
    id
}

#[cached(version = 4294967296)]
fn too_large(id: u64) -> u64 {
    id
}

fn main() {}
