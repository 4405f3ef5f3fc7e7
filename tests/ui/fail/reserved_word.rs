use larder::cached;

#[cached(batch = ids)]
fn of_all(ids: Vec<u64>) -> Vec<u64> {
    ids
}

#[cached(batch_of = of_all)]
fn of_one(id: u64) -> u64 {
    id
}

fn main() {}
