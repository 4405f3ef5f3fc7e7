//! What is measured: one suite for each file.

pub(crate) mod batch;
pub(crate) mod compile;
pub(crate) mod disk;
pub(crate) mod hit;
pub(crate) mod miss;
pub(crate) mod redis;
pub(crate) mod stampede;
pub(crate) mod trace;
