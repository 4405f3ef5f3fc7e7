//! A call for 100 ids: of which memory has 90, and of which Redis has all, or 90.

mod far;
mod near;

use crate::cli::Effort;
use crate::report::Report;
use crate::server::Server;
use std::error::Error;

/// The ids of a batch, and how many of them nobody has computed.
const IDS: u64 = 100;
const NEW: u64 = 10;

/// Runs the suite over a server that larder has been told of.
///
/// # Errors
///
/// If the server can't be asked by hand.
pub(crate) fn run(effort: Effort, server: &Server) -> Result<Report, Box<dyn Error>> {
    let mut report = Report::new("batch");
    near::run(effort, &mut report);
    far::run(effort, server, &mut report)?;
    Ok(report)
}
