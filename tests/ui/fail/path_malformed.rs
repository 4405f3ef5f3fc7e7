use larder::cached;

#[cached(capacity = 10, weigh = |out: &u64| *out)]
fn weigh_by_closure(id: u64) -> u64 {
    id
}

#[cached(cache_if = "Option::is_some")]
fn cache_if_by_string(id: u64) -> Option<u64> {
    Some(id)
}

#[cached(ttl_for)]
fn ttl_for_nothing(id: u64) -> u64 {
    id
}

#[cached(tags_for(tags))]
fn tags_for_list(id: u64) -> u64 {
    id
}

fn main() {}
