use larder::cached;

#[cached(key = "users")]
fn shared_by_all(id: u64) -> u64 {
    id
}

#[cached(key(0))]
fn constant(id: u64) -> u64 {
    id
}

#[cached(key(NAME, Self::NAME))]
fn constants(id: u64) -> u64 {
    id
}

struct Engine {
    tenant: u64,
}

impl Engine {
    #[cached(key(tenant), skip(self))]
    fn field(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

fn main() {}
