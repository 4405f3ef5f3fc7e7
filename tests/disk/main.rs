//! The disk tier, one file per promise. Two runtimes over one directory stand for two processes:
//! they share nothing else. Where a process has to die, see `tests/process`.

mod codec;
mod files;
mod invalidation;
mod keeping;
mod keys;
mod lifetimes;
mod settings;
mod support;
