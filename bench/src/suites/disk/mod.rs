//! The disk tier: a call whose value is there, and what other processes' invalidations cost and
//! take, and a program that is run again.

mod across;
mod busy;
mod code_index;
mod reads;
mod registry;

use crate::cli::Effort;
use crate::report::Report;
use std::error::Error;
use std::path::Path;

/// Runs the suite. `folder` has the disk tier in it, and room for the peers' files.
///
/// # Errors
///
/// If a peer, another process or the example can't be had.
pub(crate) fn run(effort: Effort, folder: &Path) -> Result<Report, Box<dyn Error>> {
    let mut report = Report::new("disk");
    // Beforehand: whether it builds is known before anything has been measured.
    let program = code_index::Program::build()?;
    reads::run(effort, folder, &mut report)?;
    busy::run(effort, &folder.join("larder"), &mut report)?;
    across::run(effort, &folder.join("larder"), &mut report)?;
    code_index::run(effort, &program, &folder.join("code-index"), &mut report)?;
    Ok(report)
}
