//! The runtime behind the `larder` facade; use that.

#[cfg(all(feature = "disk", not(target_os = "linux")))]
compile_error!("the feature `disk` of larder needs Linux; leave it out for other systems");

mod ambience;
pub mod ambient;
mod ask;
mod attempts;
mod background;
mod batch;
mod call;
mod call_context;
mod calling;
#[cfg_attr(not(feature = "redis"), path = "uncaptured.rs")]
mod captured;
mod clock;
#[cfg(feature = "beyond")]
mod codec;
mod companion;
mod config;
mod context;
mod copies;
mod counters;
#[cfg(feature = "beyond")]
mod culprit;
mod desk;
mod entry;
mod errand;
mod error;
#[cfg(feature = "redis")]
mod executor;
mod explanation;
#[cfg(feature = "metrics")]
mod export;
#[cfg_attr(not(feature = "files"), path = "fileless.rs")]
mod files;
mod flight;
mod frame;
mod function;
#[cfg(feature = "redis")]
mod glance;
mod handle;
mod hash;
mod held;
mod invalidation;
mod key;
mod limit;
mod lookup;
mod mark;
mod miss;
mod namespace;
mod news;
mod options;
mod outcome;
#[cfg(feature = "beyond")]
mod outward;
mod pattern;
mod planted;
mod quest;
mod recent;
mod records;
mod renewal;
mod runtime;
mod scope;
mod scoped;
mod shelf;
mod short;
mod site;
mod stats;
#[cfg_attr(not(feature = "beyond"), path = "unstored.rs")]
mod stored;
mod sync;
mod target;
mod tier;
mod typed;
mod verdict;
mod versions;
mod view;
mod waits;
mod warm;
mod warmer;
mod work;

#[cfg(all(test, larder_model))]
mod model;
#[doc(hidden)]
pub mod private;
#[cfg(all(fuzzing, feature = "beyond"))]
#[doc(hidden)]
pub use codec::fuzz as __fuzz;
#[cfg(feature = "testing")]
pub mod testing;

pub use ambient::AmbientValue;
pub use call_context::CallContext;
pub use calling::{scope, with};
pub use clock::{Clock, Sleep};
pub use companion::Entry;
pub use config::Builder;
pub use context::inherit;
pub use counters::Histogram;
pub use errand::Background;
pub use error::{Error, ErrorKind, Level};
#[cfg(feature = "redis")]
pub use executor::attach_executor;
pub use explanation::{Age, Cause, Explanation, Held, State};
#[cfg(feature = "watch")]
pub use files::{Watch, watch};
pub use frame::Keyed;
pub use invalidation::{
    invalidate_all, invalidate_function, invalidate_pattern, invalidate_tag,
    invalidate_tagged_with_all, invalidate_tags, tag,
};
pub use lookup::Miss;
pub use options::Options;
pub use pattern::escape;
pub use runtime::Runtime;
pub use scoped::{request, session};
pub use site::FunctionOptions;
pub use stats::{FunctionStats, Stats, stats};
#[cfg(feature = "redis")]
pub use tier::redis::{Breaker, OnFailover, OnPartition, RedisStats, ServerStats};
pub use warm::{Failed, Progress, Warmed, Warming};
pub use warmer::warm_all;

/// What the crate's root has as async functions, for code that is not async.
///
/// Everything in here may be called anywhere, inside of an executor too.
pub mod blocking {
    pub use crate::companion::blocking::Entry;
    pub use crate::invalidation::blocking::*;
    pub use crate::warmer::blocking::*;
}
