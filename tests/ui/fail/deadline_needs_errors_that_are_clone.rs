use larder::cached;

#[derive(Debug)]
struct Fault;

fn instead(id: u64) -> Result<u64, Fault> {
    Ok(id)
}

#[cached(deadline = "1s", fallback = instead)]
fn limited(id: u64) -> Result<u64, Fault> {
    if id == 0 { Err(Fault) } else { Ok(id) }
}

// Dropped at its deadline, it hands nothing on.
#[cached(deadline = "1s", fallback = instead)]
async fn limited_async(id: u64) -> Result<u64, Fault> {
    if id == 0 { Err(Fault) } else { Ok(id) }
}

fn main() {}
