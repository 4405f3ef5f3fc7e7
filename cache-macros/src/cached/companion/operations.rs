//! The operations of a companion that is a type.

use super::warm::{registered, warm};
use super::{found_runtime, kept};
use crate::cached::batch;
use crate::cached::inputs::Inputs;
use crate::cached::model::Model;
use crate::cached::question::runtime;
use crate::cached::site::{reach, turbofish};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// All of them.
pub(super) fn operations(model: &Model) -> TokenStream {
    let by_key = by_key(model);
    if let Some(of_many) = &model.batch {
        let by_call = batch::by_call(model, of_many);
        let (warm, registered, of_all) = (warm(model), registered(model), of_all(model));
        return quote!(#by_key #by_call #warm #registered #of_all);
    }
    let by_call = by_call(model);
    let (warm, registered, of_all) = (warm(model), registered(model), of_all(model));
    quote!(#by_key #by_call #warm #registered #of_all)
}

/// The operations that need no more than the key.
fn by_key(model: &Model) -> TokenStream {
    let (error, explanation) = (model.paths.Error(), model.paths.Explanation());
    let (context, out) = (model.paths.CallContext(), super::kept_out(model));
    let (asynchronous, wait) = colour(model);
    let no = TokenStream::new();
    let operations = [
        ("invalidate", quote!(::core::result::Result<(), #error>), &asynchronous, &wait),
        ("peek", quote!(::core::option::Option<#out>), &asynchronous, &wait),
        ("explain", quote!(#explanation), &asynchronous, &wait),
        ("call_context", quote!(#context), &no, &no),
    ];
    let visibility = &model.function.visibility;
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let arguments = turbofish(model);
    let kept = kept(model);
    let operations = operations.into_iter().map(|(name, returned, asynchronous, wait)| {
        let (inputs, entry) = if name == "explain" && super::explains_condition(model) {
            (Inputs::of_condition(model), quote!(__larder_explained))
        } else {
            (Inputs::of_key(model), quote!(__larder_entry))
        };
        let (names, inputs) = (inputs.names(), inputs.declared());
        let name = format_ident!("{name}");
        quote! {
            #visibility #asynchronous fn #name #generics (#(#inputs),*) -> #returned #bounds {
                let __larder_entry = Self::#entry #arguments (#(#names),*);
                #kept::#name(&__larder_entry) #wait
            }
        }
    });
    operations.collect()
}

pub(crate) fn colour(model: &Model) -> (TokenStream, TokenStream) {
    if model.function.flow.is_async() {
        (quote!(async), quote!(.await))
    } else {
        (TokenStream::new(), TokenStream::new())
    }
}

/// The operations that call the function, with all its arguments.
fn by_call(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let function = &model.function.signature.ident;
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let visibility = &model.function.visibility;
    let out = &model.out;
    let inputs = Inputs::of_call(model);
    let (names, inputs) = (inputs.names(), inputs.declared());
    let site = reach(model).site;
    let arguments = turbofish(model);
    let (asynchronous, wait) = colour(model);
    let call = quote!(#function #arguments (#(#names),*));
    let (refresh, uncached, put, with, call) = if model.function.flow.is_async() {
        (paths.refresh_async(), paths.uncached_async(), paths.put_async(), paths.scope(), call)
    } else {
        (paths.refresh(), paths.uncached(), paths.put(), paths.with(), quote!(|| #call))
    };
    let options = paths.Options();
    quote! {
        #visibility #asynchronous fn refresh #generics (#(#inputs),*) -> #out #bounds {
            #refresh(#site, #call) #wait
        }
        #visibility #asynchronous fn uncached #generics (#(#inputs),*) -> #out #bounds {
            #uncached(#site, #call) #wait
        }
        #visibility #asynchronous fn with #generics (__larder_options: #options #(, #inputs)*) -> #out
        #bounds
        {
            #with(__larder_options, #call) #wait
        }
        #visibility #asynchronous fn put #generics (#(#inputs,)* __larder_value: #out) #bounds {
            #put(#site, __larder_value, #call) #wait
        }
    }
}

/// The operations on the function as a whole.
fn of_all(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let stats = paths.stats();
    let invalidate_all = if model.function.flow.is_async() {
        paths.invalidate_all_async()
    } else {
        paths.invalidate_all()
    };
    let (error, function_stats) = (paths.Error(), paths.FunctionStats());
    let site = reach(model).site;
    let visibility = &model.function.visibility;
    let (asynchronous, wait) = colour(model);
    let inputs = Inputs::of_runtime(model).as_written();
    // Without an argument there is nothing a type parameter could be found by, nor needed for.
    let generics = (!inputs.is_empty()).then_some(&model.function.signature.generics);
    let bounds = generics.map(|generics| &generics.where_clause);
    let (runtime, found) = (runtime(model), found_runtime(model));
    let own = paths.Runtime();
    quote! {
        #[doc(hidden)]
        #visibility fn __larder_runtime #generics (#(#inputs),*)
            -> ::core::option::Option<#own>
        #bounds
        {
            #runtime
            let __larder_found: ::core::option::Option<&#own> = #found;
            __larder_found.cloned()
        }
        #visibility #asynchronous fn invalidate_all #generics (#(#inputs),*)
            -> ::core::result::Result<(), #error>
        #bounds
        {
            #runtime
            #invalidate_all(#site, #found) #wait
        }
        #visibility fn stats #generics (#(#inputs),*) -> #function_stats #bounds {
            #runtime
            #stats(#site, #found)
        }
    }
}
