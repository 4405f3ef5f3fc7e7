use larder::cached;

#[derive(Clone)]
struct Engine(u64);

impl Engine {
    #[cached]
    fn by_signature(id: u64) -> Self {
        Engine(id)
    }

    #[cached]
    fn by_body(id: u64) -> u64 {
        Self::twice(id)
    }

    fn twice(id: u64) -> u64 {
        2 * id
    }
}

fn main() {}
