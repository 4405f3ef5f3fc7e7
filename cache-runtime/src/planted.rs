//! Faults that can be switched on, so that the model checker can be seen to find them.
//!
//! Outside of model builds every question is answered "no" at compile time.

/// One deliberate fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A value is stamped when it is stored instead of before its computation.
    StampAtStore,
    /// The clock moves before the record is visible.
    ClockBeforeRecord,
    /// Invalidators don't wait for each other.
    TwoInvalidatorsAtOnce,
    /// "Valid at clock c" is remembered with a reading from after the check.
    RememberedFromAfter,
    /// Records go when there are many, whatever is still in flight.
    DroppedByAge,
    /// A follower takes the leader's value unseen.
    JoinedUnchecked,
    /// What is served after its time is not asked whether it is valid.
    FormerUnchecked,
    /// What is served after its time is served however old it is.
    FormerForEver,
    /// What is fresh is computed anew although it is being computed.
    RenewedBeside,
    /// A claim that was handed over and is thrown away is not given up.
    ClaimKept,
    /// A batch waits for others before it has computed what it leads.
    WaitsBeforeLanding,
}

#[cfg(not(larder_model))]
#[inline(always)]
#[expect(clippy::inline_always, reason = "must vanish, in debug builds too")]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

#[cfg(larder_model)]
pub(crate) use self::model::is;
#[cfg(all(test, larder_model))]
pub(crate) use self::model::plant;

#[cfg(larder_model)]
mod model {
    use super::Bug;
    use std::cell::Cell;

    std::thread_local! {
        // The checker runs all threads of a schedule on one thread of the system.
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    pub(crate) fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Switches a fault on, or all off.
    #[cfg(test)]
    pub(crate) fn plant(bug: Option<Bug>) {
        PLANTED.set(bug);
    }
}
