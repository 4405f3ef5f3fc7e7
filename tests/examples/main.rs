//! Every example, run as a program of its own, on what it is made for and on what it is not.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is wrong")]

#[cfg(feature = "redis")]
mod browser;
#[cfg(all(feature = "disk", feature = "watch"))]
mod code_index;
#[cfg(feature = "redis")]
mod customer_context;
#[cfg(feature = "redis")]
mod customer_context_page;
#[cfg(feature = "redis")]
mod customer_context_warm;
mod delegation;
#[cfg(feature = "disk")]
mod embeddings;
#[cfg(feature = "testing")]
mod freshness;
#[cfg(feature = "redis")]
mod http;
mod program;
#[cfg(feature = "redis")]
mod service;

// Of the servers that the tests of Redis take, what these do.
#[cfg(feature = "redis")]
#[path = "../servers/client.rs"]
#[expect(dead_code, reason = "others ask a server for more")]
mod client;
#[cfg(feature = "redis")]
#[path = "../servers/limit.rs"]
mod limit;
#[cfg(feature = "redis")]
#[path = "../servers/port.rs"]
#[expect(dead_code, reason = "others form clusters")]
mod port;
#[cfg(feature = "redis")]
#[path = "../servers/process.rs"]
mod process;
#[cfg(feature = "redis")]
#[path = "../servers/server.rs"]
#[expect(dead_code, reason = "others pause a server")]
mod server;

use program::run;

#[test]
fn quickstart_computes_twice_for_three_calls() {
    let run = run::<&str>("quickstart", []);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert!(run.reports("hello, user 7, from the cache"), "{}", run.out);
    assert_eq!(run.line("calls:"), ["calls:", "3,", "computed:", "2"]);
}
