//! How long a test waits for what must come.

use std::thread;
use std::time::{Duration, Instant};

/// Only a test that fails waits for longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Does something again until it comes to a value.
pub(crate) fn until<R>(what: &str, mut comes: impl FnMut() -> Option<R>) -> R {
    let begun = Instant::now();
    loop {
        if let Some(come) = comes() {
            return come;
        }
        assert!(begun.elapsed() < LIMIT, "waited in vain for {what}");
        thread::park_timeout(Duration::from_millis(10));
    }
}
