//! The attribute behind the `larder` facade; use that.

mod cached;
mod diagnostics;
mod duration;
mod fingerprint;
mod options;
mod paths;
mod spans;
mod template;

use proc_macro::TokenStream;

/// Turns a function into a cached one.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    cached::expand(options.into(), &item.into()).into()
}
