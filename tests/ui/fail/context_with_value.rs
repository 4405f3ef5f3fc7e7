use larder::cached;

#[cached(context = "tenant")]
fn with_value(id: u64) -> u64 {
    id
}

#[cached(context(tenant))]
fn with_list(id: u64) -> u64 {
    id
}

fn main() {}
