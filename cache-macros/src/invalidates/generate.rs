//! The expansion: the body where it was, and what follows its success.

use super::options::Options;
use crate::flow::Flow;
use crate::function::Function;
use crate::paths::Paths;
use crate::spans::{Place, at};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) fn expansion(function: &Function, options: &Options) -> TokenStream {
    let Function { attributes, visibility, defaultness, signature, .. } = function;
    let body = body(function, options);
    quote!(#(#attributes)* #visibility #defaultness #signature #body)
}

fn body(function: &Function, options: &Options) -> TokenStream {
    let (paths, out) = (Paths::new(options.root.as_ref()), function.out());
    let changed = changed(&paths, options);
    let (change, changed_blocking) = (paths.change(), paths.changed());
    let changed_async = paths.changed_async();
    let (methods, success) = (paths.methods(), paths.Success());
    // The type decides, not its spelling.
    let has_succeeded = quote!({
        #[allow(unused_imports)]
        use #methods::*;
        (&#success::of(&__larder_out)).__larder_succeeded()
    });
    let inside = match &function.flow {
        Flow::Plain => {
            let body = &function.body;
            return quote!({
                let __larder_changed = #changed;
                let __larder_out = #change(|| -> #out #body);
                if #has_succeeded {
                    #changed_blocking(__larder_changed);
                }
                __larder_out
            });
        }
        Flow::Async => function.body.stream(),
        Flow::Boxed { inside, .. } => inside.clone(),
    };
    // The first statement says what type the block is of, so that `?` and `return` know it. Nothing is
    // waited for between the body's end and what follows it, which takes effect at once.
    let call = quote! {
        let __larder_changed = #changed;
        let __larder_out: #out = async move {
            #[allow(unreachable_code, clippy::diverging_sub_expression)]
            if let ::core::option::Option::Some(__larder_out) =
                ::core::option::Option::None::<#out>
            {
                return __larder_out;
            }
            #inside
        }
        .await;
        if #has_succeeded {
            #changed_async(__larder_changed).await;
        }
        __larder_out
    };
    match &function.flow {
        Flow::Boxed { around, .. } => {
            quote!({ #around ::std::boxed::Box::pin(async move { #call }) })
        }
        Flow::Plain | Flow::Async => quote!({ #call }),
    }
}

/// What is to be forgotten, told before the body may take the arguments.
fn changed(paths: &Paths, options: &Options) -> TokenStream {
    let changed = paths.Changed();
    let tags = options.tags.iter().map(|tag| {
        let format = tag.format(ToTokens::to_token_stream);
        quote!(.tag(::core::format_args!(#format)))
    });
    let functions = options.functions.iter().map(|path| {
        let stats = at(Place::of(path), quote!(#path::stats()));
        let runtime = at(Place::of(path), quote!(#path::__larder_runtime()));
        quote!(.function(#stats.name, #runtime))
    });
    quote!(#changed::new() #(#tags)* #(#functions)*)
}
