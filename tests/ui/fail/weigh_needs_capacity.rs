use larder::cached;

#[cached(weigh = String::len)]
fn unbounded(id: u64) -> String {
    id.to_string()
}

fn main() {}
