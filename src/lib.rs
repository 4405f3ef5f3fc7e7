#![doc = include_str!("../README.md")]

pub use cache_macros::{cached, invalidates};
#[doc(inline)]
pub use cache_runtime::*;

#[doc(hidden)]
pub use cache_runtime::private as __private;
