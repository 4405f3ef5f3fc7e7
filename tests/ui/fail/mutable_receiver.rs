use larder::cached;

struct Counter(u64);

impl Counter {
    #[cached(key(self.0))]
    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }

    #[cached(key(self.0))]
    fn spelled_out(self: &mut Self) -> u64 {
        self.0
    }
}

fn main() {}
