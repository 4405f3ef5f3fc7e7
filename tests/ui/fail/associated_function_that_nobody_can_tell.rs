use larder::cached;

struct Engine;

impl Engine {
    #[cached]
    fn decide(id: u64) -> u64 {
        id
    }
}

fn main() {}
