//! Every path into the runtime that an expansion may name.

use crate::options::Written;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Expr, Path};

/// Where larder is, as seen from the annotated function.
pub(crate) struct Paths {
    root: TokenStream,
}

/// Reads `crate = ..`.
pub(crate) fn root(option: &Written) -> syn::Result<Path> {
    let example = "`crate = path::to::larder`";
    match option.expr(example)? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
        other => Err(option.fault_at(other, example)),
    }
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
        public:
            CallContext Entry Error Explanation FunctionStats Level Runtime Warmed blocking;
        private:
            Again AmbientPart Answer Arg Batch Call Changed Declared Each Errand Escaped Format Found FunctionOptions Ids Keyed Linked
            Negative Nested Options Probe Site Sitting Success Verdict
            Warmable Warming
            blocking_entry blocking_entry_stored change changed changed_async entry entry_stored invalidate_all
            invalidate_all_async kept lent lent_option look_up look_up_stored methods owned owned_cow owned_option pass put put_async refresh refresh_async scope sit spare stats submit uncached
            uncached_async warm warm_async warm_with warm_with_async with;
    }
}
