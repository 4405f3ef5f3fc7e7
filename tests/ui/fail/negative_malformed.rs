use larder::cached;

#[cached(negative)]
fn bare(id: u64) -> Option<u64> {
    Some(id)
}

#[cached(negative = 5)]
fn number(id: u64) -> Option<u64> {
    Some(id)
}

#[cached(negative = "5")]
fn without_unit(id: u64) -> Option<u64> {
    Some(id)
}

fn main() {}
