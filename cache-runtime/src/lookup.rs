//! Why a look-up finds nothing, or something.

/// Why a lookup found nothing to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Miss {
    /// Nothing is stored.
    Absent,
    /// What is stored is past its lifetime.
    Expired,
    /// What is stored was overtaken by an invalidation.
    Invalidated,
    /// What is stored can't be read: damaged, foreign, or of another shape.
    Undecodable,
    /// The tier can't be asked.
    Unavailable,
}

/// Why a value may be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    Fresh,
    /// Another caller computes it anew.
    Stale,
    /// Computing it anew has failed.
    Grace,
}
