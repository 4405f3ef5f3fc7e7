//! What identifies a call, for logs and metrics.

use crate::ambience::Ambient;
use crate::context;
use crate::frame::Keyed;
use crate::site::Site;
use crate::view::View;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What identifies a call: the function, its arguments, and the ambient context if it is part of
/// the key.
///
/// For people and metrics. What the cache compares are the arguments themselves, never these
/// digests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CallContext {
    /// The function's name, as in `stats`.
    pub function: String,
    /// Its `version`.
    pub version: u32,
    /// A fingerprint of the types in its signature.
    pub signature: u64,
    /// A digest of the arguments that are part of the key.
    pub arguments: u64,
    /// A digest of the ambient context, if it is part of the key and there is one. It differs from
    /// one process to the next.
    pub ambient: Option<u64>,
}

impl CallContext {
    pub(crate) fn of<W: View>(site: &Site, view: &W) -> Self {
        let mut arguments = DefaultHasher::new();
        view.hash_into(&mut arguments);
        let ambient = || context::current()?.ambient.as_ref().map(Ambient::hash64);
        let options = &site.options;
        Self {
            function: site.name(),
            version: options.version,
            signature: options.signature,
            arguments: arguments.finish(),
            ambient: if options.keyed.covers(Keyed::CONTEXT) { ambient() } else { None },
        }
    }

    /// Returns a 64-bit digest of all of it.
    ///
    /// The same call gives the same digest in every run of one build, as long as no ambient context
    /// is part of it and the arguments hash alike; two different calls may share one.
    pub fn hash64(&self) -> u64 {
        let mut state = DefaultHasher::new();
        self.hash(&mut state);
        state.finish()
    }
}

impl fmt::Display for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{:016x}", self.function, self.hash64())
    }
}
