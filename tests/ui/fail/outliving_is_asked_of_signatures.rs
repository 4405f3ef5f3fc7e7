use larder::cached;

struct Shop;

impl Shop {
    #[cached(skip(self), ttl = "1m", refresh = "10s")]
    fn price(&self, id: u64) -> u64 {
        id
    }

    #[cached(skip(self), ttl = "1m", refresh = "10s", handle = none)]
    async fn price_async(self: std::sync::Arc<Self>, id: u64) -> u64 {
        id
    }
}

#[cached(key(names.len()), ttl = "1m", refresh = "10s")]
fn borrowing(names: &[&str]) -> usize {
    names.len()
}

#[cached(ttl = "1m", stale = "1m", timeout = "10ms")]
fn taking_apart((one, other): (u64, u64)) -> u64 {
    one + other
}

#[cached(key(name.as_ref().len()), ttl = "1m", refresh = "10s")]
fn nameless(name: &impl AsRef<str>) -> usize {
    name.as_ref().len()
}

fn zero(_: (u64, u64)) -> u64 {
    0
}

#[cached(deadline = "2s", fallback = zero)]
async fn falling_back((one, other): (u64, u64)) -> u64 {
    one + other
}

fn main() {}
