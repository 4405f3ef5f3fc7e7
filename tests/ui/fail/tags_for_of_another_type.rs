use larder::cached;

fn one(out: &u64) -> String {
    out.to_string()
}

#[cached(tags_for = one)]
fn returns_one_string(id: u64) -> u64 {
    id
}

fn main() {}
