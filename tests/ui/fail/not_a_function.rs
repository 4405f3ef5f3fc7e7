use larder::cached;

#[cached]
struct Engine;

#[cached]
impl Engine {}

#[cached]
const LIMIT: u64 = 7;

fn main() {}
