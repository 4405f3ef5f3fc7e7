//! Why a look-up finds nothing.

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
