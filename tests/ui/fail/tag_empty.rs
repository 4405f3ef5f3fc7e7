use larder::cached;

#[cached(tags("user:{id}", ""))]
fn empty(id: u64) -> u64 {
    id
}

#[cached(tags = "user:{id},,policy")]
fn empty_between(id: u64) -> u64 {
    id
}

fn main() {}
