//! The disk tier: a call whose value is there, and what other processes' invalidations cost and take.

mod across;
mod busy;
mod reads;

use crate::cli::Effort;
use crate::report::Report;
use std::error::Error;
use std::path::Path;

/// Runs the suite. `folder` has the disk tier in it, and room for the peers' files.
///
/// # Errors
///
/// If a peer or another process can't be had.
pub(crate) fn run(effort: Effort, folder: &Path) -> Result<Report, Box<dyn Error>> {
    let mut report = Report::new("disk");
    reads::run(effort, folder, &mut report)?;
    busy::run(effort, &folder.join("larder"), &mut report)?;
    across::run(effort, &folder.join("larder"), &mut report)?;
    Ok(report)
}
