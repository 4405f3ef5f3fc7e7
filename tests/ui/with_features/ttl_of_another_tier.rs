use larder::cached;

#[cached(ttl(l1 = "30s", l2 = "5m"))]
fn without_l2(id: u64) -> u64 {
    id
}

#[cached(tier = "l2", ttl(l1 = "30s", l2 = "5m"))]
fn without_l1(id: u64) -> u64 {
    id
}

#[cached(tier = "l1,l2", ttl(l1 = "30s", l3 = "5m"))]
fn without_l3(id: u64) -> u64 {
    id
}

#[cached(tier = "l7", ttl(l2 = "5m"))]
fn whose_tier_is_faulty(id: u64) -> u64 {
    id
}

fn main() {}
