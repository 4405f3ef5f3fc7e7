use larder::cached;

#[cached(key = "user:{id}", key(id))]
fn both_forms(id: u64) -> u64 {
    id
}

#[cached(key(id), key(name))]
fn same_form(id: u64, name: u64) -> u64 {
    id + name
}

fn main() {}
