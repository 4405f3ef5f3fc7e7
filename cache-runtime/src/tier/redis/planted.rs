//! Faults that can be switched on, so that the simulation can be seen to find them.
//!
//! Outside of tests every question is answered "no" at compile time.

/// One deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "most of them are for tests to commit"))]
pub(super) enum Bug {
    /// An invalidation is recorded in its process before the server is told.
    RecordedBeforeTold,
    /// The lease of a value has the value's own key.
    LeaseInTheValuesKey,
    /// A value is stored whoever has the lease.
    StoredWithoutLease,
    /// Versions are captured when the value is stored.
    CapturedAtStore,
    /// The version of a found tag is captured when it is found.
    CapturedWhenFound,
    /// What a callee captured after its caller began is the caller's, too.
    LentTooLate,
    /// A copy from nearer by is used for what is shared, without versions.
    NearCopyWithoutVersions,
    /// A version that is missing matches.
    MissingVersionMatches,
    /// A version is replaced instead of removed.
    SetInsteadOfUnlink,
    /// Versions are made to last longer each time something is computed under them.
    ProlongedEachTime,
    /// Another run of the server is taken for the same.
    RunIgnored,
    /// What was stored is not read back.
    StoredNotReadBack,
    /// A version that was created is not read.
    CreatedNotRead,
    /// The ledger is not read once it was added to.
    AnnouncedNotRead,
    /// What others added to the ledger is not recorded.
    AnnouncedNotRecorded,
    /// What a server tells of waits in a queue, and later answers don't.
    ToldThroughAQueue,
    /// A heartbeat vouches from its answer on.
    VouchedFromTheAnswer,
    /// Nothing is forgotten when a connection is made anew.
    NothingForgotten,
    /// A connection is up before what was known is forgotten.
    UpBeforeForgetting,
    /// Entries that the ledger does not have any more are taken for silence.
    LedgerGapIsSilence,
    /// A copy in memory lasts as long as if it had just been computed.
    CopyOutlivesEntry,
    /// Nobody looks at what waits in the machine's journal.
    JournalUnread,
    /// A copy in memory or on the disk is served although nobody has compared its versions.
    CopyNotCompared,
    /// Such a copy passes for any value that is in its place.
    CopyOfAnotherValue,
    /// What waits in the machine's journal is forgotten before a server has been told.
    JournalForgotten,
}

#[cfg(not(test))]
#[inline(always)]
#[expect(clippy::inline_always, reason = "must vanish, in debug builds too")]
pub(super) const fn is(_: Bug) -> bool {
    false
}

#[cfg(test)]
pub(super) use self::test::{is, plant};

#[cfg(test)]
mod test {
    use super::Bug;
    use std::cell::Cell;

    std::thread_local! {
        // A schedule runs on one thread of the system.
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    pub(in crate::tier::redis) fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Switches a fault on, or all off.
    pub(in crate::tier::redis) fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }
}
