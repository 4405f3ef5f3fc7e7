use larder::cached;

#[cached(tier = "l1,l2", scope = "session")]
fn of_a_session(id: u64) -> u64 {
    id
}

#[cached(tier = "l2", scope = "request")]
fn of_a_request(id: u64) -> u64 {
    id
}

fn main() {}
