use larder::cached;

trait Decides {
    fn decide(&self, id: u64) -> u64;
}

struct Engine;

impl Decides for Engine {
    #[cached(skip(self), handle = decide_entry)]
    fn decide(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
