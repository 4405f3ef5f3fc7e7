//! Every path into the runtime that an expansion may name.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Path;

/// Where larder is, as seen from the annotated function.
pub(crate) struct Paths {
    root: TokenStream,
}

macro_rules! paths {
    ($($parent:tt: $($name:ident)*;)*) => {
        $($(
            #[allow(non_snake_case, reason = "named after what it stands for")]
            pub(crate) fn $name(&self) -> TokenStream {
                let root = &self.root;
                paths!(@ $parent root $name)
            }
        )*)*
    };
    (@ public $root:ident $name:ident) => { quote!(#$root::$name) };
    (@ private $root:ident $name:ident) => { quote!(#$root::__private::$name) };
}

impl Paths {
    pub(crate) fn new(root: Option<&Path>) -> Self {
        Self { root: root.map_or_else(|| quote!(::larder), ToTokens::to_token_stream) }
    }

    paths! {
        public: CallContext Entry Error Explanation FunctionStats Level Runtime Warmed blocking;
        private:
            AmbientPart Arg Call Declared Escaped Format Found FunctionOptions Keyed Linked
            Negative Nested Probe Site Verdict
            blocking_entry blocking_entry_stored entry entry_stored invalidate_all
            invalidate_all_async look_up look_up_stored methods pass put put_async refresh refresh_async stats submit uncached
            uncached_async warm warm_async;
    }
}
