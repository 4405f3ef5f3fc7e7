use larder::cached;

#[cached(scope = "sesion")]
fn close_to_a_known_one(id: u64) -> u64 {
    id
}

#[cached(scope = "thread")]
fn close_to_none(id: u64) -> u64 {
    id
}

fn main() {}
