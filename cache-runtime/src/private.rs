//! The contract with the macro: what an expansion may name. Not for anyone else; it changes without
//! notice, together with the macro.

use crate::handle::Handle;
use crate::runtime::Runtime;

pub use crate::ambient::AmbientPart;
pub use crate::batch::{Answer, Batch, Each, Ids, Parts, Values};
pub use crate::call::{Call, Declared, Found, look_up, pass};
pub use crate::companion::{
    invalidate_all, invalidate_all_async, put, put_async, refresh, refresh_async, stats, uncached,
    uncached_async,
};
pub use crate::desk::{Sitting, sit};
pub use crate::errand::{
    Again, Errand, kept, lent, lent_option, owned, owned_cow, owned_option, spare,
};
pub use crate::frame::Keyed;
pub use crate::invalidation::{Changed, change, changed, changed_async};
pub use crate::key::{Arg, PlainArg};
pub use crate::outcome::{Kind, KindOf, Negative, Probe, Success};
pub use crate::pattern::Escaped;
pub use crate::site::{FunctionOptions, Linked, Site};
pub use crate::verdict::Verdict;
pub use crate::view::{Nested, View};
pub use crate::warm::Warming;
pub use crate::warmer::{Warmable, warm, warm_async, warm_with, warm_with_async};
pub use crate::{Options, scope, with};
pub use inventory::submit;

#[cfg(feature = "files")]
pub use crate::files::Paths;
#[cfg(feature = "beyond")]
pub use crate::{
    call::look_up_stored,
    stored::{FormatOf as Format, Storable, StorablePart, StoredPart, StoredView},
};

/// The traits whose methods an expansion calls, without their names.
pub mod methods {
    pub use crate::key::PlainArg as _;
    pub use crate::outcome::KindOf as _;
    pub use crate::outcome::{ErrorForNobody as _, ErrorForPeople as _, ErrorForProgrammers as _};
    pub use crate::outcome::{SuccessOfAny as _, SuccessOfResult as _};
}

/// One key of an async function.
pub fn entry<F, W: View, Kd: Kind>(
    site: &'static Site,
    family: &F,
    kind: Kd,
    runtime: Option<&Runtime>,
    view: &W,
) -> crate::Entry<Kd::Out> {
    crate::Entry::new(Handle::new(site, family, kind, runtime, view))
}

/// One key of a function that is not async.
pub fn blocking_entry<F, W: View, Kd: Kind>(
    site: &'static Site,
    family: &F,
    kind: Kd,
    runtime: Option<&Runtime>,
    view: &W,
) -> crate::blocking::Entry<Kd::Out> {
    crate::blocking::Entry::new(Handle::new(site, family, kind, runtime, view))
}

/// One key of an async function whose values are kept beyond this process.
#[cfg(feature = "beyond")]
pub fn entry_stored<F, W: StoredView, Kd: Kind>(
    site: &'static Site,
    family: &F,
    kind: Kd,
    runtime: Option<&Runtime>,
    view: &W,
    format: crate::codec::Format<Kd::Kept>,
) -> crate::Entry<Kd::Out> {
    crate::Entry::new(Handle::stored(site, family, kind, runtime, view, format))
}

/// One key of such a function that is not async.
#[cfg(feature = "beyond")]
pub fn blocking_entry_stored<F, W: StoredView, Kd: Kind>(
    site: &'static Site,
    family: &F,
    kind: Kd,
    runtime: Option<&Runtime>,
    view: &W,
    format: crate::codec::Format<Kd::Kept>,
) -> crate::blocking::Entry<Kd::Out> {
    crate::blocking::Entry::new(Handle::stored(site, family, kind, runtime, view, format))
}
