//! Memory, disk and Redis together: over real servers, and folders that stand for machines.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]
#![expect(dead_code, reason = "not every part of the servers is asked for here")]

#[path = "../servers/client.rs"]
mod client;
#[path = "../servers/limit.rs"]
mod limit;
#[path = "../servers/port.rs"]
mod port;
#[path = "../servers/process.rs"]
mod process;
#[path = "../servers/server.rs"]
mod server;
#[path = "../redis/support.rs"]
mod support;
mod together;
