//! How the room that the store is given is shared out.
//!
//! 1. File and log together stay within 1.1 times the limit: the file has at most 0.97 times the
//!    limit, and the log what it may hold before a transaction, plus one transaction. One row that is
//!    put alone may take an eighth of the limit, and finds the log empty.
//! 2. What is used is brought back to 0.9 times the limit, so that several processes may put
//!    once more before one of them has made room.

/// The size of a page. Larger ones make a put dearer, and gain little where the file is mapped.
pub(super) const PAGE: u64 = 4_096;

/// The smallest limit, in bytes: shares of a smaller one would be too small to work with.
pub(crate) const LEAST: u64 = 4 << 20;

/// What a row costs beside its envelope: its leaf, two indexes, and the halves of what is split.
const PAGES_PER_ROW: u64 = 6;

/// What a page of overflow holds: all but the number of the next.
const OVERFLOW: u64 = PAGE - 4;

#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    limit: u64,
}

impl Bounds {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit: limit.max(LEAST) }
    }

    /// From how many pages in use on rows must go.
    pub(super) fn high(self) -> u64 {
        self.limit / 100 * 90 / PAGE
    }

    /// The most pages that the file may have.
    pub(super) fn pages(self) -> u64 {
        self.limit / 100 * 97 / PAGE
    }

    /// How many bytes the log may have before another transaction starts.
    pub(super) fn log(self) -> u64 {
        self.limit / 40
    }

    /// How many bytes the log may have at most.
    pub(super) fn longest_log(self) -> u64 {
        self.log() + self.transaction().max(self.alone()) * PAGE
    }

    /// From how many pages on the log is copied to the file. A large store gains nothing from a log
    /// beyond a few MiB, and each opening after a crash reads all of it.
    pub(super) fn checkpoint(self) -> u64 {
        (self.log() / 2 / PAGE).min(1_024)
    }

    /// How many pages one transaction may write.
    pub(super) fn transaction(self) -> u64 {
        self.limit / 32 / PAGE
    }

    /// How many pages a row may write that is put alone.
    pub(super) fn alone(self) -> u64 {
        self.limit / 8 / PAGE
    }

    /// How many rows one step of making room takes at most.
    pub(super) fn step_rows(self) -> u64 {
        (self.transaction() / PAGES_PER_ROW).min(64)
    }

    /// How many pages are given back at once.
    pub(super) fn step_pages(self) -> u64 {
        (self.transaction() / 4).min(256)
    }

    /// How many pages of a file with `used` ones may be free before some are given back.
    pub(super) fn spare(used: u64) -> u64 {
        used / 16 + 16
    }

    /// How many pages a row with an envelope of this length writes at most.
    pub(super) fn cost(length: usize) -> u64 {
        PAGES_PER_ROW + length as u64 / OVERFLOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_any_limit_fit_into_it() {
        for limit in [0, 1 << 20, 4 << 20, 5_000_000, 64 << 20, 1 << 30, 1 << 40] {
            let bounds = Bounds::new(limit);
            // A page in the log has a head of its own.
            let transaction = bounds.transaction() * (PAGE + 24);
            let most = bounds.pages() * PAGE + bounds.log() + transaction;
            assert!(most <= limit.max(LEAST) / 10 * 11, "{limit}");
            let alone = bounds.pages() * PAGE + bounds.alone() * (PAGE + 24);
            assert!(alone <= limit.max(LEAST) / 10 * 11, "{limit}");
            assert!(bounds.checkpoint() * PAGE <= bounds.log());
            assert!(bounds.step_rows() > 0 && bounds.step_pages() > 0);
            assert!(bounds.high() + bounds.transaction() <= bounds.pages());
        }
    }
}
