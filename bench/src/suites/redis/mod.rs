//! The Redis tier: a call whose value is there, a call that could have to ask it and need not, what
//! other processes' invalidations take, and what it costs while the server is gone.

mod across;
mod memory;
mod outage;
mod paced;
mod reads;

use crate::cli::Effort;
use crate::neighbour::invalidate_first;
use crate::peers::by_hand::ByHand;
use crate::peers::remote_functions;
use crate::report::Report;
use crate::server::Server;
use std::error::Error;
use std::path::Path;
use tokio::runtime::Builder;

/// Runs the suite over a server that larder has been told of. `folder` has room for another process's
/// files.
///
/// # Errors
///
/// If a peer or another process can't be had.
pub(crate) fn run(effort: Effort, server: Server, folder: &Path) -> Result<Report, Box<dyn Error>> {
    let mut report = Report::new("redis");
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let url = server.url();
    invalidate_first("nobody has this tag");
    runtime.block_on(remote_functions::connect(&url))?;
    let by_hand = runtime.block_on(ByHand::connect(&url))?;
    reads::run(effort, &runtime, &by_hand, &mut report)?;
    paced::run(effort, &runtime, &by_hand, &mut report);
    memory::run(effort, &mut report);
    across::run(effort, (&folder.join("other"), &url), &mut report)?;
    outage::run(effort, server, &mut report);
    Ok(report)
}
