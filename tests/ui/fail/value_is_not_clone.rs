use larder::cached;

struct Bare(u64);

#[cached]
fn plain(id: u64) -> Bare {
    Bare(id)
}

#[cached]
fn in_a_result(id: u64) -> Result<Bare, String> {
    Ok(Bare(id))
}

#[cached]
async fn in_an_option(id: u64) -> Option<Bare> {
    Some(Bare(id))
}

fn main() {}
