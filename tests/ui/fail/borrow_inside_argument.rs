use larder::cached;

#[cached]
fn in_a_slice(ids: &[&u64]) -> usize {
    ids.len()
}

#[cached]
fn in_a_vector(ids: Vec<&u64>) -> usize {
    ids.len()
}

#[cached]
fn behind_another(id: &&u64) -> u64 {
    **id
}

#[cached]
fn by_lifetime(path: std::path::Components<'_>) -> usize {
    path.count()
}

fn main() {}
