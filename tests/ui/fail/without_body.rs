use larder::cached;

trait Decides {
    #[cached(skip(self))]
    fn decide(&self, id: u64) -> u64;
}

fn main() {}
