//! A web service that tells agents what they have to know of a customer, remembered in memory for 30
//! seconds and in Redis for 5 minutes.
//!
//! ```text
//! cargo run --release --features redis --example customer_context -- --redis redis://127.0.0.1:6379
//! ```
//!
//! Several such processes over one server share what each of them looks up, and what is invalidated at
//! one is forgotten by all. Below `/api/v1/context` there are
//!
//! ```text
//! GET    /customers/CUSTOMER/AGENT[/CONVERSATION]   the context; customers are cust_1 to cust_1000
//! DELETE /cache/customers/CUSTOMER/AGENT            forgets one context, and its conversations
//! DELETE /cache/customers/CUSTOMER                  forgets a customer
//! DELETE /cache/keys/PATTERN                        forgets `context:*:support`, `context:cust_7:*`
//! DELETE /cache                                     forgets everything
//! POST   /cache/warm/PLAN                           looks up all customers of a plan
//! GET    /cache/stats                               what came from where; `l1` is memory, `l2` Redis
//! GET    /cache/page                                the same for a person, in a browser
//! ```
//!
//! Options, or the environment: `--port` or `CONTEXT_PORT` (8000; 0 takes a free one), `--namespace` or
//! `CONTEXT_NAMESPACE` (`customer_context`), `--latency` or `CONTEXT_LATENCY` (what a query of the
//! database takes: 20 milliseconds), `--warm` or `CONTEXT_WARM` (nobody), `--redis` or `LARDER_REDIS_URL`.
//! Without Redis the service does without it, and the statistics say so. Ends well with SIGTERM or an
//! interrupt, and then with 1 if an invalidation could not be delivered. Exits with 2 if a setting makes
//! no sense.
//!
//! `--warm` names a file that lists whom to look up before the service listens:
//!
//! ```text
//! # a customer, for every agent
//! cust_7
//! # a customer, for one of them
//! cust_20 billing
//! ```
//!
//! What Redis has already is not looked up again. How far it is stands on standard error, as a bar if that
//! is a terminal, and at the end which lines nothing came of, such as those of a customer that there
//! isn't.

mod agent;
mod database;
mod escaped;
mod failure;
mod forgotten;
mod function;
mod list;
mod lookup;
mod meter;
mod page;
mod routes;
mod settings;
mod statistics;
mod table;
mod warm_up;

use agent::Agent;
use database::Database;
use settings::Settings;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};

/// How many may wait to be let in.
const BACKLOG: u32 = 1_024;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match Settings::read(std::env::args_os().skip(1)) {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            println!("{}", settings::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("customer_context: {message}");
            return ExitCode::from(2);
        }
    };
    match serve(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("customer_context: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until it is told to end.
async fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let mut end = Box::pin(told_to_end()?);
    let mut builder = larder::Runtime::builder().namespace(settings.namespace);
    if let Some(url) = settings.redis {
        builder = builder.redis(url);
    }
    let runtime = builder.build()?;
    runtime.install()?;
    // Nobody has this customer, but now the connection is there before anybody asks.
    lookup::context::peek("", Agent::Support).await;

    let refused = |error| format!("can't listen at port {}: {error}", settings.port);
    let socket = bound(settings.port).map_err(refused)?;
    let database = Arc::new(Database::new(settings.latency));
    let warmed = async {
        if let Some(list) = &settings.warm {
            warm_up::of(list, &database).await;
        }
    };
    let is_over = tokio::select! {
        () = warmed => false,
        () = &mut end => true,
    };
    if !is_over {
        let listener = socket.listen(BACKLOG).map_err(refused)?;
        println!("listening at http://{}", listener.local_addr()?);
        axum::serve(listener, routes::of(database)).with_graceful_shutdown(end).await?;
    }
    runtime.close().await?;
    println!("closed");
    Ok(())
}

/// Ends when the process is told to, from now on.
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
    })
}

/// Takes the port before it takes time to look anybody up; whoever connects is refused until then.
fn bound(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // As a listener has it: the connections of a service that ended don't keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
    Ok(socket)
}
