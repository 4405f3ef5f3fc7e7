//! What the Redis tier promises to a fleet of processes, tried with real ones: they call and
//! invalidate at random while the servers they share are taken from them in every way.
//!
//! `LARDER_LONG` gives the seconds that each trial runs for, `LARDER_SEED` the seed.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]
#![expect(dead_code, reason = "not every part of processes and servers is asked for here")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers")]

#[path = "../process/child.rs"]
mod child;
#[path = "../servers/client.rs"]
mod client;
#[path = "../redis/cluster.rs"]
mod cluster;
#[path = "../servers/hearing.rs"]
mod hearing;
#[path = "../servers/limit.rs"]
mod limit;
#[path = "../redis/listener.rs"]
mod listener;
#[path = "../servers/port.rs"]
mod port;
#[path = "../servers/process.rs"]
mod process;
#[path = "../redis/proxy.rs"]
mod proxy;
#[path = "../redis/sentinels.rs"]
mod sentinels;
#[path = "../servers/server.rs"]
mod server;
#[path = "../redis/traffic.rs"]
mod traffic;
#[path = "../process/warnings.rs"]
mod warnings;
#[path = "../process/words.rs"]
mod words;

mod cold;
mod faults;
mod functions;
mod heirs;
mod journal;
mod moment;
mod names;
mod oracle;
mod party;
mod single;
mod verdict;
mod worker;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One trial at a time: each has the processors that there are.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
