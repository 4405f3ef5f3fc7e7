//! A slow function called twice, then invalidated.
//!
//! ```text
//! cargo run --example quickstart
//! ```

use larder::cached;
use std::thread::sleep;
use std::time::Duration;

#[cached(ttl = "1h")]
fn greeting(user: u64) -> String {
    sleep(Duration::from_millis(200));
    format!("hello, user {user}")
}

fn main() -> Result<(), larder::Error> {
    println!("{}, computed", greeting(7));
    println!("{}, from the cache", greeting(7));
    greeting::invalidate(7)?;
    println!("{}, computed again", greeting(7));
    let stats = greeting::stats();
    println!("calls: {}, computed: {}", stats.hits + stats.misses(), stats.computations);
    Ok(())
}
