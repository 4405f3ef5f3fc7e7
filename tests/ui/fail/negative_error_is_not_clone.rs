use larder::cached;

#[cached(negative = "5s")]
fn fails(id: u64) -> Result<u64, std::io::Error> {
    Ok(id)
}

fn main() {}
