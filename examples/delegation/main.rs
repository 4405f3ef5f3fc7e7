//! A delegation engine whose decisions are memoized by their call context.
//!
//! ```text
//! cargo run --release --example delegation [-- --quick]
//! ```
//!
//! `DelegationEngine::decide` says where a call is to run. It is memoized on the implementation of
//! the trait and used behind `dyn`. Function symbol and argument types are its key; the permissions
//! of the caller are in the ambient context. Policy events arrive on a channel and invalidate by
//! tag what they touch; everybody who asks afterwards checks that the answer is not older.
//!
//! The workload: 200,000 calls by 4 tasks, drawn by Zipf (exponent 0.99, seeded) from 2,000 call
//! contexts; a capability is added every 1,000 calls, the policy updated every 80,000. With
//! `--quick`, a tenth of the calls, the contexts, and the calls between policy updates. Exits with
//! 1 unless more than 95 % of the calls are hits.

mod bulletin;
mod core_time;
mod engine;
mod latency;
mod listener;
mod policy;
mod request;
mod workload;

use bulletin::Bulletin;
use engine::{DelegationEngine, PolicyEngine, delegate};
use latency::Latencies;
use listener::Listener;
use request::{DecideError, Permissions, Request};
use std::fmt::Write;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::mpsc;
use workload::Workload;

const GOAL: f64 = 0.95;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let workload = match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Workload::full(),
        ["--quick"] => Workload::quick(),
        _ => {
            eprintln!("usage: delegation [--quick]");
            return ExitCode::from(2);
        }
    };
    let engine = Arc::new(PolicyEngine::new("example", workload.symbols()));
    match introduce(&engine, &workload).await {
        Ok(text) => println!("{text}"),
        Err(error) => {
            eprintln!("delegation: {error}");
            return ExitCode::FAILURE;
        }
    }
    let latencies = run(engine, workload).await;
    println!("{latencies}\n\n{}", larder::stats());
    if latencies.hit_rate() > GOAL { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One request on behalf of three callers, and on behalf of nobody.
async fn introduce(engine: &PolicyEngine, workload: &Workload) -> Result<String, DecideError> {
    let mut text = String::from("one request, by what its caller may use:\n");
    let mut request = workload.sample();
    for (who, permissions) in [
        ("nothing", Permissions::NONE),
        ("local models", Permissions::LOCAL),
        ("all models", Permissions::ALL),
    ] {
        request.permissions = permissions;
        let decision = delegate(engine, &request).await?;
        writeln!(text, "  {who:12} -> {:?}", decision.target).expect("a String takes all");
    }
    // Without an ambient context nobody can tell whose decision it would be: it is not kept.
    engine.decide(&request).await?;
    let stats = larder::stats();
    let decide = stats.functions.iter().find(|it| it.name == engine::DECIDE);
    let bypasses = decide.map_or(0, |it| it.bypasses_context);
    writeln!(text, "  without permissions set: {bypasses} computed, none cached")
        .expect("a String takes all");
    let unknown = Request { symbol: "no.such".into(), ..request.clone() };
    if let Err(error) = delegate(engine, &unknown).await {
        writeln!(text, "  {error}: an error, not cached").expect("a String takes all");
    }
    let call = engine.call_context(&request);
    write!(text, "call context of {}: hash64 {:#018x}", call.function, call.hash64())
        .expect("a String takes all");
    Ok(text)
}

/// Carries the workload out while events arrive.
async fn run(engine: Arc<PolicyEngine>, workload: Workload) -> Latencies {
    println!("\n{workload}");
    let workload = Arc::new(workload);
    let bulletin = Arc::new(Bulletin::new(workload.symbols()));
    let (events, inbox) = mpsc::channel(16);
    let listener = Listener { engine: Arc::clone(&engine), bulletin: Arc::clone(&bulletin) };
    let listening = tokio::spawn(listener.run(inbox));
    let engine: Arc<dyn DelegationEngine> = engine;
    let callers: Vec<_> = (0..workload.tasks)
        .map(|task| {
            let engine = Arc::clone(&engine);
            let bulletin = Arc::clone(&bulletin);
            let events = events.clone();
            tokio::spawn(Arc::clone(&workload).call(task, engine, bulletin, events))
        })
        .collect();
    // The listener ends when nobody can send any more.
    drop(events);
    let mut latencies = Latencies::default();
    for caller in callers {
        latencies.append(caller.await.expect("no caller is served a decision older than an event"));
    }
    let applied =
        listening.await.expect("every event changes the decisions it names, and no others");
    println!("{applied}; no decision older than an event before it was served");
    latencies
}
