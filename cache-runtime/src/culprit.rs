//! What overtook an entry, for whoever looks at it to tell that.

use crate::mark::Mark;
use std::sync::OnceLock;

/// What an entry was overtaken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Culprit {
    /// Something of this name was invalidated.
    Name(Mark),
    /// A file has changed.
    #[cfg(feature = "disk")]
    File,
}

/// Where it is said. Nothing is if it was a pattern, a set of tags, or everything.
pub(crate) type Blame = OnceLock<Culprit>;
