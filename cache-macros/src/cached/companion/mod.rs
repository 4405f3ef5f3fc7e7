//! The companion: operations on a function's entries, beside the function.

mod operations;
mod warm;

use super::inputs::Inputs;
use super::model::{Handle, Model};
use super::question::{Asked, asked, runtime, view, when};
use super::site::{self, reach};
use super::{batch, mention, outlive};
use crate::spans::{Place, at, braces};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Receiver, ReceiverKind};

pub(crate) fn companion(model: &Model) -> TokenStream {
    match &model.handle {
        Handle::None => TokenStream::new(),
        Handle::Type(name) => beside_function(model, name),
        Handle::Method(name) => beside_method(model, name),
    }
}

/// What the function's documentation says of its companion.
pub(crate) fn doc(model: &Model) -> TokenStream {
    let condition =
        if explains_condition(model) { ", and the last of them what `when` mentions" } else { "" };
    let put = |name: &Ident| match model.batch {
        Some(_) => String::new(),
        None => format!("`{name}::put`, "),
    };
    let text = match &model.handle {
        Handle::None => return TokenStream::new(),
        Handle::Type(name) => format!(
            "\n\n# Cache\n\nThis function is cached. `{name}::invalidate`, `{name}::peek` and \
             `{name}::explain` take what makes its key{condition}; `{name}::refresh`, {put}\
             `{name}::uncached` take all arguments, `{name}::with` takes options before them, \
             `{name}::warm` and `{name}::warm_with` take them many times over; `{name}::invalidate_all` and `{name}::stats` \
             are about all calls.",
            put = put(name)
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

/// The attributes of a generated function, or of an impl of those: lints have nothing to say about
/// them.
fn attributes(model: &Model) -> TokenStream {
    let conditions = conditions(model);
    quote! {
        #(#conditions)*
        #[allow(
            clippy::all,
            clippy::nursery,
            clippy::pedantic,
            dead_code,
            deprecated,
            non_snake_case,
            single_use_lifetimes,
            unreachable_pub,
            unused_lifetimes,
            unused_variables
        )]
    }
}

fn beside_function(model: &Model, name: &Ident) -> TokenStream {
    let attributes = attributes(model);
    let conditions = conditions(model);
    let visibility = &model.function.visibility;
    let place = Place::of(name);
    let (item, nothing) = (at(place, quote!(enum)), at(place, quote!({})));
    let of = at(place, quote!(impl));
    let shared = site::shared(model);
    let entry = entry(model, &quote!(__larder_entry), &Inputs::of_key(model), None, None);
    let explained = when(model).filter(|_| explains_condition(model)).map(|when| {
        let (name, inputs) = (quote!(__larder_explained), Inputs::of_condition(model));
        self::entry(model, &name, &inputs, None, Some(&when))
    });
    let operations = operations::operations(model);
    let again = outlive::beside(model);
    let operations = quote!(#(#shared)* #again #entry #explained #operations);
    let operations = braces(place.last, operations);
    quote! {
        #(#conditions)*
        #[allow(
            dead_code,
            missing_copy_implementations,
            missing_debug_implementations,
            non_camel_case_types,
            unreachable_pub
        )]
        #[doc(hidden)]
        #visibility #item #name #nothing
        #attributes
        #[doc(hidden)]
        #of #name #operations
    }
}

fn beside_method(model: &Model, name: &Ident) -> TokenStream {
    let attributes = attributes(model);
    let visibility = &model.function.visibility;
    let shared = site::shared(model).into_iter().chain(outlive::beside(model));
    let receiver = model.function.signature.receiver().map(receiver);
    let entry = entry(model, name, &Inputs::of_key(model), receiver, None);
    let text =
        format!("The cache entry of a call of `{}`.", model.function.signature.ident.unraw());
    quote! {
        #attributes
        #[doc = #text]
        #visibility #entry
        #(
            #attributes
            #[doc(hidden)]
            #shared
        )*
    }
}

/// The receiver of the companion: borrowed, unless the key may be of the pointer itself.
fn receiver(of_function: &Receiver) -> TokenStream {
    if let ReceiverKind::Typed(colon, kind) = &of_function.kind {
        let name = &of_function.self_token;
        quote!(#name #colon #kind)
    } else {
        quote!(&self)
    }
}

/// Whether an explanation asks the condition of a call: not where that may leave the function, or wait in it.
pub(super) fn explains_condition(model: &Model) -> bool {
    model.when.as_ref().is_some_and(|when| !mention::leaves(&when.to_token_stream()))
}

/// The function that finds the entry of a call, from what makes its key, and where that is asked what its
/// condition says.
fn entry(
    model: &Model,
    name: &impl ToTokens,
    inputs: &Inputs<'_>,
    receiver: Option<TokenStream>,
    when: Option<&TokenStream>,
) -> TokenStream {
    let paths = &model.paths;
    let methods = paths.methods();
    let site::Reached { site, family } = reach(model);
    let Asked { before, kind, format } = asked(model);
    let view = view(model);
    let (runtime, found) = (runtime(model), found_runtime(model));
    let find = match (model.function.flow.is_async(), &format) {
        (true, None) => paths.entry(),
        (true, Some(_)) => paths.entry_stored(),
        (false, None) => paths.blocking_entry(),
        (false, Some(_)) => paths.blocking_entry_stored(),
    };
    let format = format.into_iter();
    let kept = kept(model);
    let inputs = receiver.into_iter().chain(inputs.as_written());
    let holds = when.map(|_| quote!(.__larder_when(__larder_when)));
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let out = kept_out(model);
    let place = Place::of(name);
    let function = at(place, quote!(fn));
    let body = quote! {
        #[allow(unused_imports)]
        use #methods::*;
        #runtime
        #when
        #before
        #find(#site, #family, #kind, #found, &#view #(, #format)*) #holds
    };
    let body = braces(place.last, body);
    quote!(#function #name #generics (#(#inputs),*) -> #kept<#out> #bounds #body)
}

fn found_runtime(model: &Model) -> TokenStream {
    if model.runtime.is_some() {
        quote!(::core::option::Option::Some(__larder_runtime))
    } else {
        quote!(::core::option::Option::None)
    }
}

/// What an entry holds, as calls return it.
fn kept_out(model: &Model) -> TokenStream {
    match &model.batch {
        Some(of_many) => {
            let value = batch::value(model, of_many);
            quote!(::core::option::Option<#value>)
        }
        None => model.out.to_token_stream(),
    }
}

pub(crate) use self::operations::colour;

/// The type of an entry.
fn kept(model: &Model) -> TokenStream {
    if model.function.flow.is_async() {
        model.paths.Entry()
    } else {
        let blocking = model.paths.blocking();
        quote!(#blocking::Entry)
    }
}
