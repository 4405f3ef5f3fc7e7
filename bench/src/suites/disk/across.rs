//! From an invalidation in one process to a call in another one that has seen it, by way of the disk
//! tier.

use crate::cli::Effort;
use crate::neighbour::{Neighbour, Role};
use crate::passages::{Passages, ran};
use crate::report::Report;
use std::io;
use std::path::Path;

#[larder::cached(tier = "l1,l2", ttl = "1h", tags("signal"))]
fn watched() -> u64 {
    ran()
}

pub(super) fn run(effort: Effort, folder: &Path, report: &mut Report) -> io::Result<()> {
    let mut neighbour = Neighbour::start(Role::Signaller, folder, None)?;
    let count = effort.pick(500, 5_000);
    Passages::measure(count, &mut neighbour, watched, watched)?.tell(report);
    Ok(())
}
