use larder::cached;

#[cached(negative = "5s")]
fn plain(id: u64) -> u64 {
    id
}

type Answer = u64;

#[cached(negative = "5s")]
async fn plain_by_alias(id: u64) -> Answer {
    id
}

fn main() {}
