use larder::cached;

#[derive(Clone)]
struct Bare(u64);

#[derive(Clone, serde::Serialize)]
struct OneWay(u64);

#[cached(tier = "l1,l2")]
fn plain(id: u64) -> Bare {
    Bare(id)
}

#[cached(tier = "l2", codec = "postcard")]
async fn in_a_result(id: u64) -> Result<OneWay, String> {
    Ok(OneWay(id))
}

#[cached(tier = "l2")]
fn no_value_at_all(id: u64) -> Option<std::cell::RefCell<u64>> {
    Some(id.into())
}

fn main() {}
