use larder::cached;

#[cached(ttl)]
fn bare(id: u64) -> u64 {
    id
}

#[cached(ttl = )]
fn nothing(id: u64) -> u64 {
    id
}

#[cached(ttl "1h")]
fn without_a_sign(id: u64) -> u64 {
    id
}

#[cached(ttl = 60)]
fn number(id: u64) -> u64 {
    id
}

#[cached(ttl = "an hour")]
fn words(id: u64) -> u64 {
    id
}

fn main() {}
