//! Measures larder side by side with its peers.
//!
//! Each suite prints a table and can write its rows as JSON. Every figure of a run comes from that
//! run: contestants take turns, and a ratio is the median of the ratios of single rounds, so that
//! what disturbs the machine disturbs all of them.

mod cli;
mod course;
mod digest;
mod disturbance;
mod keys;
mod neighbour;
mod passages;
mod peers;
mod report;
mod rounds;
mod server;
mod start;
mod suites;
mod table;
mod truth;
mod zipf;

use cli::{Command, Suite};
use server::Server;
use std::env;
use std::process::ExitCode;

/// Where larder looks for servers if it is not told of any.
const SERVERS: &str = "LARDER_REDIS_URL";

fn main() -> ExitCode {
    if let Some(role) = neighbour::Role::given() {
        role.play();
        return ExitCode::SUCCESS;
    }
    let command = match Command::read() {
        Ok(Some(command)) => command,
        Ok(None) => {
            print!("{}", cli::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprint!("{fault}\n\n{}", cli::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("cache-bench: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Box<dyn std::error::Error>> {
    let effort = command.effort;
    let folder = tempfile::tempdir()?;
    if env::var_os(SERVERS).is_some() {
        return Err(format!("{SERVERS} is set; unset it: servers of others are left alone").into());
    }
    // Here, and not where programs of the user keep theirs.
    let builder = larder::Runtime::builder().dir(folder.path().join("larder"));
    let needs_server = matches!(command.suite, Suite::Redis | Suite::Batch);
    let server = needs_server.then(|| Server::start(folder.path())).transpose()?;
    let builder = match &server {
        Some(server) => builder.redis(server.url()),
        None => builder,
    };
    builder.build()?.install()?;
    let report = match &command.suite {
        Suite::Hit => suites::hit::run(effort),
        Suite::Miss => suites::miss::run(effort),
        Suite::Stampede => suites::stampede::run(effort)?,
        Suite::Trace(paths) => suites::trace::run(paths, effort)?,
        Suite::Disk => suites::disk::run(effort, folder.path())?,
        Suite::Redis => suites::redis::run(effort, server.expect("it was started"), folder.path())?,
        Suite::Batch => suites::batch::run(effort, &server.expect("it was started"))?,
        Suite::Compile => suites::compile::run(effort)?,
    };
    print!("{report}");
    if let Some(path) = &command.json {
        report.write_json(path)?;
    }
    Ok(())
}
