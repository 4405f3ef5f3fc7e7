//! The static of one function, and how to name it.

use super::freshness::Refresh;
use super::model::{Handle, Judge, Model, Stored, Version};
use super::parse::Scope;
use super::tier::Tier;
use crate::function::Argument;
use crate::spans::{Place, at, braces};
use crate::{fingerprint, text};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use std::time::Duration;
use syn::ext::IdentExt;
use syn::{Expr, ExprLit, GenericParam, Generics, Lit};

/// The declaration of the static `__LARDER_SITE`, and its registration.
pub(crate) fn declaration(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let (site, options, linked, submit) =
        (paths.Site(), paths.FunctionOptions(), paths.Linked(), paths.submit());
    let name = model.function.signature.ident.unraw().to_string();
    let settings = settings(model);
    quote! {
        static __LARDER_SITE: #site = #site::new({
            let mut __larder_options = #options::new(::core::module_path!(), #name);
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            #(__larder_options.#settings;)*
            __larder_options
        });
        #submit! { #linked(&__LARDER_SITE) }
    }
}

/// Everything that the attribute says and that is not what it is by default.
fn settings(model: &Model) -> impl Iterator<Item = TokenStream> {
    let site = &model.site;
    let fingerprint = Literal::u64_unsuffixed(fingerprint(model));
    let tags = model.tags.iter().map(|tag| tag.text.as_str());
    let tags = (!model.tags.is_empty()).then(|| quote!(tags = &[#(#tags),*]));
    let settings = [
        Some(quote!(signature = #fingerprint)),
        site.name.as_ref().map(some).map(|name| quote!(name = #name)),
        site.version.as_ref().map(version),
        tiers(model),
        site.ttl.map(|ttl| some(duration(ttl))).map(|ttl| quote!(ttl = #ttl)),
        site.freshness.stale.map(duration).map(|stale| quote!(stale = #stale)),
        site.freshness.grace.map(duration).map(|grace| quote!(grace = #grace)),
        site.freshness.refresh.map(refresh),
        site.freshness.timeout.map(|it| some(duration(it))).map(|it| quote!(timeout = #it)),
        site.freshness.deadline.map(|it| some(duration(it))).map(|it| quote!(deadline = #it)),
        site.freshness.jitter.map(Literal::u32_unsuffixed).map(|it| quote!(jitter = #it)),
        site.negative.map(|ttl| some(duration(ttl))).map(|ttl| quote!(negative = #ttl)),
        site.wait.map(duration).map(|wait| quote!(wait = #wait)),
        site.capacity.as_ref().map(capacity),
        tags,
        model.key.readable.as_ref().map(|readable| {
            let template = some(&readable.text);
            quote!(key = #template)
        }),
    ];
    let stored = site.stored.iter().flat_map(beyond_memory);
    let files = (!model.files.is_empty()).then(|| quote!(files = true));
    let settings = settings.into_iter().flatten().chain(stored).chain(files);
    settings.chain(as_written(model)).chain(surroundings(model))
}

fn version(version: &Version) -> TokenStream {
    match version {
        Version::Number(number) => {
            let number = Literal::u32_unsuffixed(*number);
            quote!(version = #number)
        }
        Version::Tokens(fingerprint) => {
            let fingerprint = some(Literal::u64_unsuffixed(*fingerprint));
            quote!(tokens = #fingerprint)
        }
    }
}

/// What is said of the tiers beyond L1.
fn beyond_memory(stored: &Stored) -> impl Iterator<Item = TokenStream> {
    let Stored { codec, compress, write_through, ttl, ttl_disk } = stored;
    let settings = [
        codec.map(|codec| quote!(codec = #codec)),
        compress.map(|compress| quote!(compress = #compress)),
        write_through.then(|| quote!(write_through = true)),
        ttl.map(|ttl| some(duration(ttl))).map(|ttl| quote!(ttl_stored = #ttl)),
        ttl_disk.map(|ttl| some(duration(ttl))).map(|ttl| quote!(ttl_disk = #ttl)),
    ];
    settings.into_iter().flatten()
}

fn refresh(refresh: Refresh) -> TokenStream {
    match refresh {
        Refresh::Auto => quote!(refresh_auto = true),
        Refresh::Before(distance) => {
            let distance = some(duration(distance));
            quote!(refresh = #distance)
        }
    }
}

fn some(value: impl ToTokens) -> TokenStream {
    quote!(::core::option::Option::Some(#value))
}

fn tiers(model: &Model) -> Option<TokenStream> {
    let level = model.paths.Level();
    let tiers = model.site.tiers.as_ref()?.iter().map(|tier| match tier {
        Tier::L1 => quote!(#level::L1),
        Tier::L2 => quote!(#level::L2),
        Tier::L3 => quote!(#level::L3),
    });
    Some(quote!(tiers = &[#(#tiers),*]))
}

/// What is listed as it is written: paths and expressions.
fn as_written(model: &Model) -> impl Iterator<Item = TokenStream> {
    let Judge { weigh, ttl_for, cache_if, tags_for } = &model.judge;
    let written = [
        (quote!(weigh), weigh.as_ref().map(ToTokens::to_token_stream)),
        (quote!(when), model.when.as_ref().map(ToTokens::to_token_stream)),
        (quote!(ttl_for), ttl_for.as_ref().map(ToTokens::to_token_stream)),
        (quote!(cache_if), cache_if.as_ref().map(ToTokens::to_token_stream)),
        (quote!(tags_for), tags_for.as_ref().map(ToTokens::to_token_stream)),
        (quote!(fallback), model.fallback.as_ref().map(ToTokens::to_token_stream)),
        (quote!(runtime), model.runtime.as_ref().map(ToTokens::to_token_stream)),
    ];
    written.into_iter().filter_map(|(option, written)| {
        let text = some(text::of(written?));
        Some(quote!(#option = #text))
    })
}

/// Which surroundings are part of the key.
fn surroundings(model: &Model) -> Vec<TokenStream> {
    let keyed = model.paths.Keyed();
    let scope = match model.site.scope {
        Scope::Global => None,
        Scope::Session => Some(quote!(SESSION)),
        Scope::Request => Some(quote!(REQUEST)),
    };
    let context = model.site.context.then(|| quote!(CONTEXT));
    context
        .into_iter()
        .chain(scope)
        .map(|what| quote!(keyed = __larder_options.keyed.and(#keyed::#what)))
        .collect()
}

fn capacity(capacity: &Expr) -> TokenStream {
    match capacity {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number.suffix().is_empty() => {
            quote!(capacity = #number)
        }
        other => {
            // Only the compiler knows the number, and it alone can judge it.
            let judge = quote! {
                ::core::assert!(
                    __larder_capacity > 0,
                    "a capacity of less than 1 keeps nothing; write at least 1"
                );
            };
            let judge = at(Place::of(other), judge);
            quote!(capacity = {
                let __larder_capacity = (#other) as ::core::primitive::i128;
                #judge
                __larder_capacity as ::core::primitive::u64
            })
        }
    }
}

fn duration(duration: Duration) -> TokenStream {
    let seconds = Literal::u64_unsuffixed(duration.as_secs());
    let nanos = Literal::u32_unsuffixed(duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// A fingerprint of the types in the signature, as they are written.
fn fingerprint(model: &Model) -> u64 {
    let kinds = model.function.arguments.iter().map(Argument::kind);
    let out = &model.out;
    fingerprint::of(quote!(#(#kinds,)* -> #out))
}

/// The items that a companion shares with its function: those that find the site, and whose type
/// tells instantiations apart.
pub(crate) fn shared(model: &Model) -> Vec<TokenStream> {
    let declaration = declaration(model);
    let site = model.paths.Site();
    let generics = &model.function.signature.generics;
    let site = |name: Ident, generics: Option<&Generics>| {
        let bounds = generics.map(|generics| &generics.where_clause);
        let place = Place::of(&name);
        let function = at(place, quote!(fn));
        let body = braces(place.last, quote!(#declaration &__LARDER_SITE));
        quote!(#[inline] #function #name #generics () -> &'static #site #bounds #body)
    };
    match &model.handle {
        Handle::None => Vec::new(),
        Handle::Method(handle) => vec![site(hidden(handle), Some(generics))],
        // What is about the function as a whole has no type parameters to name.
        Handle::Type(_) => {
            let bounds = &generics.where_clause;
            vec![
                site(format_ident!("__larder_site"), None),
                quote!(fn __larder_family #generics () #bounds {}),
            ]
        }
    }
}

/// The name of what finds the site, beside a method.
fn hidden(handle: &Ident) -> Ident {
    format_ident!("__larder_{}", handle.unraw(), span = handle.span())
}

/// How the function and its companion name the site and the family.
pub(crate) struct Reached {
    pub(crate) site: TokenStream,
    pub(crate) family: TokenStream,
}

pub(crate) fn reach(model: &Model) -> Reached {
    let arguments = turbofish(model);
    match &model.handle {
        Handle::None => Reached { site: quote!(&__LARDER_SITE), family: quote!(&()) },
        Handle::Type(name) => Reached {
            site: quote!(#name::__larder_site()),
            family: quote!(&#name::__larder_family #arguments),
        },
        Handle::Method(handle) => {
            let holder = Ident::new("Self", handle.span());
            let hidden = hidden(handle);
            let found = quote!(#holder::#hidden #arguments);
            Reached { site: quote!(#found()), family: quote!(&#found) }
        }
    }
}

/// The function's own type and const parameters, to pass on.
pub(crate) fn turbofish(model: &Model) -> Option<TokenStream> {
    let parameters = model.function.signature.generics.params.iter();
    let arguments: Vec<_> = parameters
        .filter_map(|parameter| match parameter {
            GenericParam::Type(it) => Some(&it.ident),
            GenericParam::Const(it) => Some(&it.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>))
}
