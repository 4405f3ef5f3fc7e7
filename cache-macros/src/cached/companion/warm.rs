//! The operation that calls a function with each of many arguments: one by itself, several as a
//! tuple.
//!
//! What an iterator yields is said in a bound, and there no lifetime may be left out. A function
//! pointer has lifetimes of its own: a bound that it can be called with what the iterator yields
//! leaves out what the signature does. Where there can be no such pointer, lifetimes are named.

use super::operations::colour;
use crate::cached::inputs::Inputs;
use crate::cached::lifetime;
use crate::cached::model::{Handle, Model};
use crate::cached::site::{reach, turbofish};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Generics, Type, parse_quote};

pub(super) fn warm(model: &Model) -> TokenStream {
    let kinds: Vec<Type> = model.written().arguments.iter().map(|it| it.kind().clone()).collect();
    let has_pointer = !model.function.flow.is_async() && !kinds.iter().any(lifetime::is_unnamed);
    if has_pointer { by_pointer(model, &kinds) } else { by_name(model, kinds) }
}

/// Takes what a pointer to the function can be called with.
fn by_pointer(model: &Model, kinds: &[Type]) -> TokenStream {
    let out = &model.out;
    let items: Vec<Ident> = (0..kinds.len()).map(|at| format_ident!("__Larder{at}")).collect();
    let mut generics = model.function.signature.generics.clone();
    let own = lifetime::split_off_unbounded(&mut generics);
    let own = (!own.is_empty()).then(|| quote!(for<#(#own),*>));
    generics.params.extend(items.iter().map(|item| -> syn::GenericParam { parse_quote!(#item) }));
    let pointer = quote!(#own fn(#(#kinds),*) -> #out);
    // In brackets: the lifetimes are those of the pointer, not of the bound.
    let calls: syn::WherePredicate = parse_quote!((#pointer): ::core::ops::Fn(#(#items),*) -> #out);
    generics.make_where_clause().predicates.push(calls);
    let (function, arguments) = (&model.function.signature.ident, turbofish(model));
    let call = quote!(__larder_spread(#function #arguments as #pointer));
    let names = Inputs::of_written(model).names();
    let (item, pattern) = (several(&items), several(&names));
    let spread = quote! {
        fn __larder_spread<__LarderOut, #(#items),*>(
            __larder_call: impl ::core::ops::Fn(#(#items),*) -> __LarderOut
        ) -> impl ::core::ops::Fn(#item) -> __LarderOut {
            move |#pattern| __larder_call(#(#names),*)
        }
    };
    let warm = operation(model, &generics, &item, &spread, &call);
    let bounds = items
        .iter()
        .map(|item| -> syn::WherePredicate { parse_quote!(#item: ::core::marker::Send) });
    generics.make_where_clause().predicates.extend(bounds);
    let with = operation_with(model, &generics, &item, &spread, &call);
    quote!(#warm #with)
}

/// Takes what the signature says, with every lifetime named.
fn by_name(model: &Model, mut kinds: Vec<Type>) -> TokenStream {
    let mut generics = model.function.signature.generics.clone();
    lifetime::spell_out(&mut kinds, &mut generics);
    let names = Inputs::of_written(model).names();
    let (function, arguments) = (&model.function.signature.ident, turbofish(model));
    let pattern = several(&names);
    let call = quote!(|#pattern| #function #arguments (#(#names),*));
    let item = several(&kinds);
    let warm = operation(model, &generics, &item, &TokenStream::new(), &call);
    // Several threads take what can be sent to them, and of these types nobody knows.
    let with = model.function.flow.is_async();
    let with = with.then(|| operation_with(model, &generics, &item, &TokenStream::new(), &call));
    quote!(#warm #with)
}

/// Whether a call has failed, by what it returned, and its error.
fn fails(model: &Model) -> TokenStream {
    let (success, out) = (model.paths.Success(), &model.out);
    quote! {
        |__larder_out: &#out| if (&#success::of(__larder_out)).__larder_succeeded() {
            ::core::result::Result::Ok(())
        } else {
            ::core::result::Result::Err((&&&#success::of(__larder_out)).__larder_error())
        }
    }
}

fn operation(
    model: &Model,
    generics: &Generics,
    item: &TokenStream,
    helper: &TokenStream,
    call: &TokenStream,
) -> TokenStream {
    let paths = &model.paths;
    let (asynchronous, wait) = colour(model);
    let warm = if model.function.flow.is_async() { paths.warm_async() } else { paths.warm() };
    let (warmed, methods) = (paths.Warmed(), paths.methods());
    let visibility = &model.function.visibility;
    let bounds = &generics.where_clause;
    let fails = fails(model);
    let site = reach(model).site;
    quote! {
        #visibility #asynchronous fn warm #generics (
            __larder_calls: impl ::core::iter::IntoIterator<Item = #item>
        ) -> #warmed #bounds {
            #[allow(unused_imports)]
            use #methods::*;
            #helper
            #warm(#site, #fails, __larder_calls, #call) #wait
        }
    }
}

/// The same with something said of how.
fn operation_with(
    model: &Model,
    generics: &Generics,
    item: &TokenStream,
    helper: &TokenStream,
    call: &TokenStream,
) -> TokenStream {
    let paths = &model.paths;
    let (asynchronous, wait) = colour(model);
    let warm =
        if model.function.flow.is_async() { paths.warm_with_async() } else { paths.warm_with() };
    let (warmed, warming, methods) = (paths.Warmed(), paths.Warming(), paths.methods());
    let visibility = &model.function.visibility;
    let bounds = &generics.where_clause;
    let fails = fails(model);
    let site = reach(model).site;
    quote! {
        #visibility #asynchronous fn warm_with #generics (
            __larder_warming: #warming<'_>,
            __larder_calls: impl ::core::iter::IntoIterator<Item = #item>
        ) -> #warmed #bounds {
            #[allow(unused_imports)]
            use #methods::*;
            #helper
            #warm(#site, #fails, __larder_warming, __larder_calls, #call) #wait
        }
    }
}

/// Has the function warmed with all that say so.
pub(super) fn registered(model: &Model) -> Option<TokenStream> {
    let (Some(path), Handle::Type(name)) = (&model.warm, &model.handle) else { return None };
    let (warmable, submit) = (model.paths.Warmable(), model.paths.submit());
    let warm = if model.function.flow.is_async() {
        quote!(async { #name::warm(#path()).await })
    } else {
        quote!(async { #name::warm(#path()) })
    };
    Some(quote! {
        fn __larder_registered() {
            #submit! { #warmable::new(#name::__larder_site, || ::std::boxed::Box::pin(#warm)) }
        }
    })
}

/// One by itself, several as a tuple.
fn several(parts: &[impl ToTokens]) -> TokenStream {
    if let [one] = parts { one.to_token_stream() } else { quote!((#(#parts),*)) }
}
