use larder::cached;

#[cached]
fn never(id: u64) -> ! {
    panic!("{id}")
}

fn main() {}
