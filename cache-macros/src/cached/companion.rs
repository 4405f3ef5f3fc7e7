//! The companion: operations on a function's entries, beside the function.

use super::generate::{kind, view};
use super::key::mentioned;
use super::model::{Handle, Model};
use super::site::{self, Reached, reach};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, Pat};

pub(crate) fn companion(model: &Model) -> TokenStream {
    match &model.handle {
        Handle::None => TokenStream::new(),
        Handle::Type(name) => beside_function(model, name),
        Handle::Method(name) => beside_method(model, name),
    }
}

/// What the function's documentation says of its companion.
pub(crate) fn doc(model: &Model) -> TokenStream {
    let text = match &model.handle {
        Handle::None => return TokenStream::new(),
        Handle::Type(name) => format!(
            "\n\n# Cache\n\nThis function is cached. `{name}::invalidate`, `{name}::peek` and \
             `{name}::explain` take what makes its key; `{name}::refresh`, `{name}::put`, \
             `{name}::uncached` take all arguments; `{name}::invalidate_all` and `{name}::stats` \
             take none."
        ),
        Handle::Method(name) => format!(
            "\n\n# Cache\n\nThis method is cached. `{name}` takes what makes its key and returns \
             the entry, to invalidate it, look at it, or replace it."
        ),
    };
    quote!(#[doc = #text])
}

/// Attributes that decide whether the function is there at all.
fn conditions(model: &Model) -> impl Iterator<Item = &Attribute> {
    model.function.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

fn beside_function(model: &Model, name: &Ident) -> TokenStream {
    let shared = site::shared(model);
    let conditions: Vec<_> = conditions(model).collect();
    let visibility = &model.function.visibility;
    let by_key = by_key(model);
    let by_call = by_call(model);
    let of_all = of_all(model);
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #visibility enum #name {}
        #(#conditions)*
        #[doc(hidden)]
        #[allow(dead_code, clippy::all, clippy::pedantic)]
        impl #name {
            #shared
            #by_key
            #by_call
            #of_all
        }
    }
}

fn beside_method(model: &Model, name: &Ident) -> TokenStream {
    let shared = site::shared(model);
    let conditions: Vec<_> = conditions(model).collect();
    let visibility = &model.function.visibility;
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let inputs = key_inputs(model);
    let receiver = model.function.signature.receiver().map(|_| quote!(&self,));
    let entry = entry(model);
    let root = model.paths.root();
    let out = &model.out;
    let returned = if model.function.is_async() {
        quote!(#root::Entry<#out>)
    } else {
        quote!(#root::blocking::Entry<#out>)
    };
    let text = format!("The cache entry of a call of `{}`.", model.function.signature.ident);
    quote! {
        #(#conditions)*
        #[doc = #text]
        #[allow(dead_code, clippy::all, clippy::pedantic)]
        #visibility fn #name #generics (#receiver #(#inputs),*) -> #returned #bounds {
            #entry
        }
        #shared
    }
}

/// The entry of a call, from what makes its key.
fn entry(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let methods = paths.methods();
    let entry = if model.function.is_async() { paths.entry() } else { paths.blocking_entry() };
    let Reached { site, family } = reach(model);
    let kind = kind(model);
    let view = view(model);
    let runtime = runtime(model);
    quote!({
        #[allow(unused_imports)]
        use #methods::*;
        #entry(#site, #family, #kind, #runtime, &#view)
    })
}

fn runtime(model: &Model) -> TokenStream {
    match &model.runtime {
        Some(runtime) => quote!(::core::option::Option::Some(&#runtime)),
        None => quote!(::core::option::Option::None),
    }
}

/// The arguments that make the key, and those the runtime is found by, as they are declared.
fn key_inputs(model: &Model) -> Vec<TokenStream> {
    let function = &model.function;
    let for_runtime = mentioned(function, &model.runtime);
    let typed = function.signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed
        .enumerate()
        .filter(|(at, _)| model.key.arguments.contains(at) || for_runtime.contains(at))
        .map(|(_, typed)| {
            let (pattern, kind) = (immutable(&typed.pat), &typed.ty);
            quote!(#pattern: #kind)
        })
        .collect()
}

/// A pattern without `mut`: nothing of the key is changed.
fn immutable(pattern: &Pat) -> Pat {
    struct Immutable;
    impl syn::visit_mut::VisitMut for Immutable {
        fn visit_pat_ident_mut(&mut self, pattern: &mut syn::PatIdent) {
            pattern.mutability = None;
            syn::visit_mut::visit_pat_ident_mut(self, pattern);
        }
    }
    let mut pattern = pattern.clone();
    syn::visit_mut::VisitMut::visit_pat_mut(&mut Immutable, &mut pattern);
    pattern
}

fn by_key(model: &Model) -> TokenStream {
    let root = model.paths.root();
    let out = &model.out;
    let operations = [
        ("invalidate", quote!(::core::result::Result<(), #root::Error>)),
        ("peek", quote!(::core::option::Option<#out>)),
        ("explain", quote!(#root::Explanation)),
    ];
    let entry = entry(model);
    let inputs = key_inputs(model);
    let visibility = &model.function.visibility;
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let (asynchronous, wait) = colour(model);
    let operations = operations.into_iter().map(|(name, returned)| {
        let name = format_ident!("{name}");
        quote! {
            #visibility #asynchronous fn #name #generics (#(#inputs),*) -> #returned #bounds {
                let __larder_entry = #entry;
                __larder_entry.#name() #wait
            }
        }
    });
    let context = quote! {
        #visibility fn call_context #generics (#(#inputs),*) -> #root::CallContext #bounds {
            #entry.call_context()
        }
    };
    operations.chain([context]).collect()
}

fn colour(model: &Model) -> (TokenStream, TokenStream) {
    if model.function.is_async() {
        (quote!(async), quote!(.await))
    } else {
        (TokenStream::new(), TokenStream::new())
    }
}

/// The operations that call the function, with all its arguments.
fn by_call(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let signature = &model.function.signature;
    let (generics, name) = (&signature.generics, &signature.ident);
    let bounds = &generics.where_clause;
    let visibility = &model.function.visibility;
    let out = &model.out;
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(&typed.ty),
        FnArg::Receiver(_) => None,
    });
    let names: Vec<Ident> =
        (0..model.function.arguments.len()).map(|at| format_ident!("__larder_{at}")).collect();
    let inputs: Vec<_> = typed.zip(&names).map(|(kind, name)| quote!(#name: #kind)).collect();
    let site = reach(model).site;
    let generic_arguments = site::turbofish(model);
    let (asynchronous, wait) = colour(model);
    let (refresh, uncached, put, call) = if model.function.is_async() {
        let call = quote!(#name #generic_arguments (#(#names),*));
        (paths.refresh_async(), paths.uncached_async(), paths.put_async(), call)
    } else {
        (
            paths.refresh(),
            paths.uncached(),
            paths.put(),
            quote!(|| #name #generic_arguments (#(#names),*)),
        )
    };
    quote! {
        #visibility #asynchronous fn refresh #generics (#(#inputs),*) -> #out #bounds {
            #refresh(#site, #call) #wait
        }
        #visibility #asynchronous fn uncached #generics (#(#inputs),*) -> #out #bounds {
            #uncached(#site, #call) #wait
        }
        #visibility #asynchronous fn put #generics (#(#inputs,)* __larder_value: #out) #bounds {
            #put(#site, __larder_value, #call) #wait
        }
    }
}

/// The operations on the function as a whole.
fn of_all(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let root = paths.root();
    let (invalidate_all, stats) = (paths.invalidate_all(), paths.stats());
    let site = reach(model).site;
    let visibility = &model.function.visibility;
    let (asynchronous, _) = colour(model);
    let typed = model.function.signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(quote!(#typed)),
        FnArg::Receiver(_) => None,
    });
    let needed = mentioned(&model.function, &model.runtime);
    let inputs: Vec<_> =
        typed.enumerate().filter(|(at, _)| needed.contains(at)).map(|(_, it)| it).collect();
    let runtime = runtime(model);
    quote! {
        #visibility #asynchronous fn invalidate_all(#(#inputs),*)
            -> ::core::result::Result<(), #root::Error>
        {
            #invalidate_all(#site, #runtime)
        }
        #visibility fn stats(#(#inputs),*) -> #root::FunctionStats {
            #stats(#site, #runtime)
        }
    }
}
