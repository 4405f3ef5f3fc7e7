use larder::cached;

#[cached]
fn gone(id: u64, #[cfg(any())] name: &str) -> u64 {
    id
}

#[cached(key(id))]
fn gone_by_an_attribute(id: u64, #[cfg_attr(all(), cfg(any()))] name: &str) -> u64 {
    id
}

struct Engine;

impl Engine {
    #[cached(skip(self))]
    fn there(&self, #[cfg(all())] id: u64) -> u64 {
        id
    }
}

fn main() {}
