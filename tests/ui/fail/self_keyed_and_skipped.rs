use larder::cached;

struct Engine {
    tenant: u64,
}

impl Engine {
    #[cached(key(self.tenant, id), skip(self))]
    fn both(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
