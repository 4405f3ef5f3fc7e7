//! The tiers. They never know each other; what is asked in which order is decided above them.

#[cfg(feature = "disk")]
pub(crate) mod disk;
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;

pub(crate) use crate::lookup::Miss;
