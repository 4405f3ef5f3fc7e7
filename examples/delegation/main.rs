//! A delegation engine whose decisions are memoized by their call context.
//!
//! ```text
//! cargo run --release --example delegation [-- --quick]
//! cargo run --release --features redis --example delegation -- --redis redis://127.0.0.1:6379 ..
//! ```
//!
//! `DelegationEngine::decide` says where a call is to run. There are two engines, which remember that
//! for an hour, each by one attribute on its implementation of the trait; used behind `dyn`, chosen
//! when the program starts. Without a server (`--redis`, or `LARDER_REDIS_URL`) decisions are kept in
//! this process: function symbol and argument types are their key, and the permissions of the caller
//! are in the ambient context. With one they are shared with other processes, and the permissions are
//! a part of the key. Policy events arrive on a channel and invalidate by tag what they touch;
//! everybody who asks afterwards checks that the answer is not older.
//!
//! The workload: 200,000 calls by 4 tasks, drawn by Zipf (exponent 0.99, seeded) from 2,000 call
//! contexts; a capability is added every 1,000 calls, the policy updated every 80,000. With
//! `--quick`, a tenth of the calls, the contexts, and the calls between policy updates. Exits with
//! 1 unless more than 95 % of the calls are hits.
//!
//! With `--book FILE` there is no workload: the engine answers the standard input, by a book of policies
//! that the engines of other processes read and write as well.

mod bulletin;
mod core_time;
mod deliberation;
mod engine;
mod latency;
mod listener;
mod local;
mod policy;
mod records;
mod request;
mod session;
mod settings;
#[cfg(feature = "redis")]
mod shared;
mod workload;

use bulletin::Bulletin;
use deliberation::Deliberation;
use engine::{DelegationEngine, delegate};
use latency::Latencies;
use listener::Listener;
use local::LocalEngine;
use records::Records;
use request::{DecideError, Permissions, Request};
use settings::{Settings, Task};
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::sync::mpsc;
use workload::Workload;

const GOAL: f64 = 0.95;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match Settings::read() {
        Ok(settings) => settings,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match perform(settings).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("delegation: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn perform(settings: Settings) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = settings.runtime()?;
    runtime.install()?;
    let Settings { redis, task } = settings;
    let is_good = match task {
        Task::Work { is_quick } => {
            let workload = if is_quick { Workload::quick() } else { Workload::full() };
            let engine = engine(redis.as_deref(), Records::new(workload.symbols()));
            println!("{}", introduce(&*engine, &workload).await?);
            let latencies = run(engine, workload).await;
            println!("{latencies}\n\n{}", larder::stats());
            latencies.hit_rate() > GOAL
        }
        Task::Answer { book } => {
            session::answer(&*engine(redis.as_deref(), open(&book)?)).await?;
            true
        }
    };
    runtime.close().await?;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn open(book: &Path) -> Result<Records, String> {
    let records = Records::open(book, Workload::quick().symbols());
    records.map_err(|error| format!("can't use the book {}: {error}", book.display()))
}

/// The engine that suits the configuration.
fn engine(redis: Option<&str>, records: Records) -> Arc<dyn DelegationEngine> {
    let deliberation = Deliberation::new(records);
    match redis {
        #[cfg(feature = "redis")]
        Some(_) => Arc::new(shared::SharedEngine::new(deliberation)),
        _ => Arc::new(LocalEngine::new(deliberation)),
    }
}

/// One request on behalf of three callers, and on behalf of nobody.
async fn introduce(
    engine: &dyn DelegationEngine,
    workload: &Workload,
) -> Result<String, DecideError> {
    let mut text = format!("decisions are kept in {}\n", engine.memory());
    text.push_str("one request, by what its caller may use:\n");
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
    // Where nothing but the ambient context tells whose decision it would be, it is not kept.
    engine.decide(&request).await?;
    let stats = larder::stats();
    let decide = stats.functions.iter().find(|it| it.name == engine.name());
    let bypasses = decide.map_or(0, |it| it.bypasses_context);
    if bypasses > 0 {
        writeln!(text, "  without permissions set: {bypasses} computed, none cached")
            .expect("a String takes all");
    }
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
async fn run(engine: Arc<dyn DelegationEngine>, workload: Workload) -> Latencies {
    println!("\n{workload}");
    let workload = Arc::new(workload);
    let bulletin = Arc::new(Bulletin::new(workload.symbols()));
    let (events, inbox) = mpsc::channel(16);
    let listener = Listener { engine: Arc::clone(&engine), bulletin: Arc::clone(&bulletin) };
    let listening = tokio::spawn(listener.run(inbox));
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
