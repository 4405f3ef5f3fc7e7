use larder::cached;

#[cached(handle)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(handle = "Entry")]
fn string(id: u64) -> u64 {
    id
}

#[cached(handle = self::Entry)]
fn path(id: u64) -> u64 {
    id
}

fn main() {}
