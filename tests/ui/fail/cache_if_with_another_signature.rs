use larder::cached;

fn by_value(out: u64) -> bool {
    out > 0
}

#[cached(cache_if = by_value)]
fn takes_no_reference(id: u64) -> u64 {
    id
}

fn number(out: &u64) -> u64 {
    *out
}

#[cached(cache_if = number)]
fn returns_no_bool(id: u64) -> u64 {
    id
}

#[cached(cache_if = missing)]
fn is_not_there(id: u64) -> u64 {
    id
}

fn main() {}
