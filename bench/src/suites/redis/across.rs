//! From an invalidation in one process to a call in another one that has seen it, by way of the
//! server: the processes have no file in common.

use crate::cli::Effort;
use crate::neighbour::{Neighbour, Role};
use crate::passages::{Passages, ran};
use crate::report::Report;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long it may take until a value is in memory.
const LIMIT: Duration = Duration::from_secs(10);

#[larder::cached(tier = "l1,l3", ttl = "1h", tags("signal"))]
fn watched() -> u64 {
    ran()
}

pub(super) fn run(
    effort: Effort,
    (folder, url): (&Path, &str),
    report: &mut Report,
) -> io::Result<()> {
    let mut neighbour = Neighbour::start(Role::Signaller, folder, Some(url))?;
    let count = effort.pick(500, 5_000);
    let before = watched::stats().computations;
    let passages = Passages::measure(count, &mut neighbour, settled, watched)?;
    let computed = usize::try_from(watched::stats().computations - before);
    assert_eq!(computed, Ok(count + 1), "each invalidation is seen once");
    passages.tell(report);
    Ok(())
}

/// Calls until memory has the value.
fn settled() -> u64 {
    let begun = Instant::now();
    loop {
        let before = watched::stats();
        let value = watched();
        let after = watched::stats();
        if after.hits == before.hits + 1 && after.hits_l3 == before.hits_l3 {
            return value;
        }
        assert!(begun.elapsed() < LIMIT, "the value does not stay in memory");
    }
}
