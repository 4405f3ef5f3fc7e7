//! Every path into the runtime that an expansion may name.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

/// Where larder is, as seen from the annotated function.
pub(crate) struct Paths {
    private: TokenStream,
    root: TokenStream,
}

macro_rules! private {
    ($($name:ident)*) => {
        $(
            #[allow(non_snake_case, reason = "named after what it stands for")]
            pub(crate) fn $name(&self) -> TokenStream {
                let private = &self.private;
                quote!(#private::$name)
            }
        )*
    };
}

impl Paths {
    pub(crate) fn new(root: Option<&Path>) -> Self {
        let root = root.map_or_else(|| quote!(::larder), ToTokens::to_token_stream);
        Self { private: quote!(#root::__private), root }
    }

    /// What users name.
    pub(crate) fn root(&self) -> &TokenStream {
        &self.root
    }

    private! {
        AmbientPart Arg Call Escaped Found FunctionOptions Keyed Linked Negative Nested Probe Site
        Verdict
        blocking_entry entry invalidate_all look_up methods pass put put_async refresh
        refresh_async stats submit uncached uncached_async
    }
}
