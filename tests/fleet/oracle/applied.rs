//! When invalidations took effect.

use crate::journal::{Account, Outcome};
use crate::names::Name;
use crate::verdict::Window;

/// An invalidation of one process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Applied {
    pub(super) process: usize,
    pub(super) name: Name,
    pub(super) start: u64,
    /// When it returned, in whatever way: from then on it holds in its own process (C1, C5).
    pub(super) end: Option<u64>,
    /// When it is sure to have been applied by the servers (C3): when it returned success, or when
    /// nothing waited any more in its process. Of what waits in a process that is killed nobody says
    /// when it was delivered.
    pub(super) told: Option<u64>,
    /// It may have been told to who was in charge no more, so that nobody is bound by it: the process
    /// itself may find the value of before with who is.
    pub(super) may_be_lost: bool,
}

pub(super) fn all(accounts: &[Account], contested: &[Window]) -> Vec<Applied> {
    let of = |(process, account)| of_process(process, account, contested);
    accounts.iter().enumerate().flat_map(of).collect()
}

fn of_process<'a>(
    process: usize,
    account: &'a Account,
    contested: &'a [Window],
) -> impl Iterator<Item = Applied> + 'a {
    account.invalidations.iter().map(move |it| {
        let told = it.end.and_then(|(end, outcome)| match outcome {
            Outcome::Told => Some(end),
            Outcome::Pending => {
                let next = account.clear.partition_point(|(asked, _)| *asked < end);
                account.clear.get(next).map(|(_, answered)| *answered)
            }
        });
        let end = it.end.map(|(end, _)| end);
        let is_in = |window: &Window| window.0 <= told.unwrap_or(u64::MAX) && it.start <= window.1;
        let may_be_lost = contested.iter().any(is_in);
        Applied { process, name: it.name, start: it.start, end, told, may_be_lost }
    })
}
