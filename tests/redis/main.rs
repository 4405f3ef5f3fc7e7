//! The Redis tier against real servers, started by the tests and killed by them, and against a network
//! and servers that don't behave.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

mod alone;
mod batch;
mod cascade;
#[path = "../servers/client.rs"]
mod client;
mod cluster;
mod clusters;
mod coherence;
mod evictions;
mod executors;
mod failover;
mod faults;
mod flood;
#[path = "../servers/hearing.rs"]
mod hearing;
mod itself;
mod ledger;
mod liar;
mod lies;
#[path = "../servers/limit.rs"]
mod limit;
mod listener;
mod log;
mod overdue;
mod partition;
mod pending;
mod per_call;
#[path = "../servers/port.rs"]
mod port;
#[path = "../servers/process.rs"]
mod process;
mod proxy;
mod refresh;
mod refusals;
#[cfg(feature = "redis-tls")]
mod secrecy;
mod sentinels;
#[path = "../servers/server.rs"]
mod server;
mod settings;
mod sharing;
mod single_flight;
mod support;
mod suspects;
mod traffic;
mod values;
