use larder::cached;

#[derive(Clone, PartialEq, Eq)]
struct Bare(u64);

#[cached]
fn by_value(id: u64, bare: Bare) -> u64 {
    id + bare.0
}

#[cached]
fn by_reference(id: u64, bare: &Bare) -> u64 {
    id + bare.0
}

#[cached]
fn optional(id: u64, bare: Option<&Bare>) -> u64 {
    id
}

struct Engine {
    bare: Bare,
}

impl Engine {
    #[cached(key(self.bare, id), handle = decide_entry)]
    fn decide(&self, id: u64) -> u64 {
        id
    }
}

fn main() {}
