use larder::cached;

#[cached]
const fn twice(id: u64) -> u64 {
    2 * id
}

fn main() {}
