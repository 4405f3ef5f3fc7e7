//! Where the answers of a pass came from.

use crate::file_index::index_file;
use std::ops::Sub;

/// How many files were answered by what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sources {
    /// Parsed by this process.
    pub(crate) computed: u64,
    /// Parsed by another process meanwhile, which this one waited for.
    pub(crate) joined: u64,
    pub(crate) disk: u64,
    pub(crate) memory: u64,
}

impl Sources {
    /// Since the process began.
    pub(crate) fn so_far() -> Self {
        let stats = index_file::stats();
        Self {
            computed: stats.computations,
            joined: stats.joins_l2,
            disk: stats.hits_l2,
            memory: stats.hits - stats.hits_l2,
        }
    }
}

impl Sub for Sources {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            computed: self.computed - earlier.computed,
            joined: self.joined - earlier.joined,
            disk: self.disk - earlier.disk,
            memory: self.memory - earlier.memory,
        }
    }
}
