use larder::cached;

#[cached]
extern "C" fn called_from_elsewhere(id: u64) -> u64 {
    id
}

fn main() {}
