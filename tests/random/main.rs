//! Random calls, failures, cancellations, invalidations and steps of the clock, of functions with all kinds
//! of options, held against a simple model of what may be served.
//!
//! Everything runs on one thread, in an order that a seed decides: executors, bodies and time are the
//! driver's. In every other seed there is one process that nobody else tells of anything: there it is also looked
//! to that of a key one body runs at a time, and none right after one that failed. A failure names its seed, and the
//! same seed does the same again (but for jitter and what is computed anew by chance, for what the threads of the
//! disk tier and of the Redis tier do, and the server). For longer than a test should take:
//!
//! ```text
//! LARDER_RANDOM_STEPS=10000000 cargo test --release --all-features --test random
//! LARDER_RANDOM_SEED=17 cargo test --all-features --test random
//! ```

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

#[cfg(feature = "redis")]
#[path = "../servers/client.rs"]
#[expect(dead_code, reason = "it is hardly spoken to here")]
mod client;
mod driver;
mod functions;
mod history;
mod judge;
#[cfg(feature = "redis")]
#[path = "../servers/limit.rs"]
mod limit;
#[cfg(feature = "redis")]
#[path = "../servers/port.rs"]
#[expect(dead_code, reason = "there is no cluster here")]
mod port;
#[cfg(feature = "redis")]
#[path = "../servers/process.rs"]
mod process;
#[cfg(feature = "redis")]
#[path = "../servers/server.rs"]
#[expect(dead_code, reason = "it is neither killed nor paused here")]
mod server;

use driver::Driver;
use std::env;
use std::panic::{self, AssertUnwindSafe};

/// Steps of each seed, and of all.
const EACH: u64 = 2_500;
const ALL: u64 = 100_000;

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

#[test]
fn nothing_is_served_that_the_model_does_not_allow() {
    // Bodies panic on purpose, thousands of times.
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref::<&str>() != Some(&history::ON_PURPOSE) {
            usual(panic);
        }
    }));
    let only = number("LARDER_RANDOM_SEED");
    let seeds = number("LARDER_RANDOM_STEPS").unwrap_or(ALL).div_ceil(EACH);
    let first = only.unwrap_or(0);
    #[cfg(feature = "redis")]
    let redis = server::Server::start();
    #[cfg(feature = "redis")]
    let url = Some(redis.url());
    #[cfg(not(feature = "redis"))]
    let url: Option<String> = None;
    let mut served = [0; 4];
    for seed in first..first + if only.is_some() { 1 } else { seeds } {
        let driver = || Driver::new(seed, seed % 2 > 0, url.as_deref());
        let run = panic::catch_unwind(AssertUnwindSafe(|| driver().run(EACH)));
        let kinds = run.unwrap_or_else(|panic| {
            eprintln!("the seed is {seed}: LARDER_RANDOM_SEED={seed} does this again");
            panic::resume_unwind(panic)
        });
        served.iter_mut().zip(kinds).for_each(|(all, some)| *all += some);
    }
    if only.is_none() {
        // What never happens is not tested: fresh, after its time, errors, cancelled.
        assert!(served.iter().all(|it| *it > 100), "{served:?}");
    }
}
