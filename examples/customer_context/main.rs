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
//! GET    /cache/stats                               what came from where
//! ```
//!
//! Options, or the environment: `--port` or `CONTEXT_PORT` (8000; 0 takes a free one), `--namespace` or
//! `CONTEXT_NAMESPACE` (`customer_context`), `--latency` or `CONTEXT_LATENCY` (what a query of the
//! database takes: 20 milliseconds), `--redis` or `LARDER_REDIS_URL`. Without Redis the service does
//! without it, and the statistics say so. Ends well with SIGTERM or an interrupt, and then with 1 if
//! an invalidation could not be delivered. Exits with 2 if a setting makes no sense.

mod agent;
mod database;
mod failure;
mod forgotten;
mod lookup;
mod routes;
mod settings;
mod statistics;

use agent::Agent;
use database::Database;
use settings::Settings;
use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal;
use tokio::signal::unix::{SignalKind, signal};

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
    let mut builder = larder::Runtime::builder().namespace(settings.namespace);
    if let Some(url) = settings.redis {
        builder = builder.redis(url);
    }
    let runtime = builder.build()?;
    runtime.install()?;
    // Nobody has this customer, but now the connection is there before anybody asks.
    lookup::context::peek("", Agent::Support).await;

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port))
        .await
        .map_err(|error| format!("can't listen at port {}: {error}", settings.port))?;
    let mut terminated = signal(SignalKind::terminate())?;
    println!("listening at http://{}", listener.local_addr()?);
    let database = Arc::new(Database::new(settings.latency));
    axum::serve(listener, routes::of(database))
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
        })
        .await?;
    runtime.close().await?;
    println!("closed");
    Ok(())
}
