use larder::cached;

#[cached(ttl = "1h" capacity = 10)]
fn option_behind(id: u64) -> u64 {
    id
}

#[cached(context; scope = "session")]
fn something_else_behind(id: u64) -> u64 {
    id
}

fn main() {}
