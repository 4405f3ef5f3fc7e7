use larder::cached;

use std::sync::Arc;

struct Engine {
    tenant: u64,
}

impl Engine {
    #[cached]
    fn decide(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cached(key(id))]
    async fn decide_soon(self: Arc<Self>, id: u64) -> u64 {
        self.tenant + id
    }

    #[cached(key = "decision:{id}")]
    fn decide_readably(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

fn main() {}
