use larder::cached;

#[cached(ttl = "1m", refresh = "1m")]
fn at_once(id: u64) -> u64 {
    id
}

#[cached(refresh = "1m")]
fn for_ever(id: u64) -> u64 {
    id
}

#[cached(ttl = "1m", refresh = auto)]
fn not_said(id: u64) -> u64 {
    id
}

fn main() {}
