use larder::cached;

fn zero() -> u64 {
    0
}

#[cached(deadline = "2s", fallback = zero)]
async fn other_arguments(id: u64) -> u64 {
    id
}

fn text(_: u64) -> String {
    String::new()
}

#[cached(deadline = "2s", fallback = text)]
async fn other_value(id: u64) -> u64 {
    id
}

fn main() {}
