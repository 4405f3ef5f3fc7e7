//! Filling a cache before it is asked.

use crate::outcome::Kind;
use std::future::Future;

/// What came of warming a function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warmed {
    /// Calls made; those that were cached already cost a hit each.
    pub calls: u64,
    /// Those of them that returned an `Err`.
    pub failures: u64,
}

impl Warmed {
    fn add<Kd: Kind>(&mut self, kind: Kd, out: &Kd::Out) {
        self.calls += 1;
        self.failures += u64::from(kind.is_failure(out));
    }
}

/// Calls a function with each of many arguments, one after the other. A failure does not stop it.
pub fn warm<A, Kd: Kind>(
    kind: Kd,
    arguments: impl IntoIterator<Item = A>,
    call: impl Fn(A) -> Kd::Out,
) -> Warmed {
    let mut warmed = Warmed::default();
    for arguments in arguments {
        warmed.add(kind, &call(arguments));
    }
    warmed
}

/// Calls an async function with each of many arguments, one after the other. A failure does not
/// stop it.
///
/// # Cancellation
///
/// What was computed until then stays cached.
pub async fn warm_async<A, Kd: Kind, Fut: Future<Output = Kd::Out>>(
    kind: Kd,
    arguments: impl IntoIterator<Item = A>,
    call: impl Fn(A) -> Fut,
) -> Warmed {
    let mut warmed = Warmed::default();
    for arguments in arguments {
        warmed.add(kind, &call(arguments).await);
    }
    warmed
}
