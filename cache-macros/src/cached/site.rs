//! The static of one function, and how to name it.

use super::model::{Handle, Model};
use super::parse::Scope;
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use syn::ext::IdentExt;

/// The declaration of the static `__LARDER_SITE`, and its registration.
pub(crate) fn declaration(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let (site, options, linked, submit) =
        (paths.Site(), paths.FunctionOptions(), paths.Linked(), paths.submit());
    let name = model.function.signature.ident.unraw().to_string();
    let settings = settings(model);
    quote! {
        static __LARDER_SITE: #site = #site::new({
            #[allow(unused_mut)]
            let mut __larder_options = #options::new(::core::module_path!(), #name);
            __larder_options.file = ::core::file!();
            __larder_options.line = ::core::line!();
            #settings
            __larder_options
        });
        #submit! { #linked(&__LARDER_SITE) }
    }
}

fn settings(model: &Model) -> TokenStream {
    let site = &model.site;
    let keyed = model.paths.Keyed();
    let mut settings = Vec::new();
    let mut set = |value: TokenStream| settings.push(quote!(__larder_options.#value;));
    let signature = Literal::u64_unsuffixed(signature(model));
    set(quote!(signature = #signature));
    if let Some(name) = &site.name {
        set(quote!(name = ::core::option::Option::Some(#name)));
    }
    if site.version > 0 {
        let version = Literal::u32_unsuffixed(site.version);
        set(quote!(version = #version));
    }
    if let Some(ttl) = site.ttl {
        let ttl = duration(ttl);
        set(quote!(ttl = ::core::option::Option::Some(#ttl)));
    }
    if let Some(negative) = site.negative {
        let negative = duration(negative);
        set(quote!(negative = ::core::option::Option::Some(#negative)));
    }
    if let Some(wait) = site.wait {
        let wait = duration(wait);
        set(quote!(wait = #wait));
    }
    if let Some(capacity) = &site.capacity {
        set(quote!(capacity = (#capacity) as u64));
    }
    if model.judge.weigh.is_some() {
        set(quote!(weighed = true));
    }
    if !model.tags.is_empty() {
        let tags = model.tags.iter().map(|tag| tag.text.as_str());
        set(quote!(tags = &[#(#tags),*]));
    }
    if let Some(readable) = &model.key.readable {
        let template = &readable.text;
        set(quote!(key = ::core::option::Option::Some(#template)));
    }
    if site.context {
        set(quote!(keyed = __larder_options.keyed.and(#keyed::CONTEXT)));
    }
    match site.scope {
        Scope::Global => {}
        Scope::Session => set(quote!(keyed = __larder_options.keyed.and(#keyed::SESSION))),
        Scope::Request => set(quote!(keyed = __larder_options.keyed.and(#keyed::REQUEST))),
    }
    settings.into_iter().collect()
}

fn duration(duration: Duration) -> TokenStream {
    let seconds = Literal::u64_unsuffixed(duration.as_secs());
    let nanos = Literal::u32_unsuffixed(duration.subsec_nanos());
    quote!(::core::time::Duration::new(#seconds, #nanos))
}

/// A fingerprint of the types in the signature, as they are written.
fn signature(model: &Model) -> u64 {
    let signature = &model.function.signature;
    let mut state = DefaultHasher::new();
    let inputs = &signature.inputs;
    quote!(#inputs).to_string().hash(&mut state);
    let output = &signature.output;
    quote!(#output).to_string().hash(&mut state);
    state.finish()
}

/// The items that a companion shares with its function: the site, and a function whose type tells
/// instantiations apart.
pub(crate) fn shared(model: &Model) -> TokenStream {
    let declaration = declaration(model);
    let site = model.paths.Site();
    let (site_name, family_name) = names(model);
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    quote! {
        #[doc(hidden)]
        #[inline]
        fn #site_name() -> &'static #site {
            #declaration
            &__LARDER_SITE
        }
        #[doc(hidden)]
        fn #family_name #generics () #bounds {}
    }
}

fn names(model: &Model) -> (proc_macro2::Ident, proc_macro2::Ident) {
    match &model.handle {
        Handle::Method(_) => {
            let name = model.function.signature.ident.unraw();
            (format_ident!("__larder_site_{name}"), format_ident!("__larder_family_{name}"))
        }
        Handle::Type(_) | Handle::None => {
            (format_ident!("__larder_site"), format_ident!("__larder_family"))
        }
    }
}

/// How the function and its companion name the site and the family.
pub(crate) struct Reached {
    pub(crate) site: TokenStream,
    pub(crate) family: TokenStream,
}

/// The function's own type and const parameters, to pass on.
pub(crate) fn turbofish(model: &Model) -> Option<TokenStream> {
    let generics = &model.function.signature.generics;
    let arguments: Vec<_> = generics
        .type_params()
        .map(|it| &it.ident)
        .chain(generics.const_params().map(|it| &it.ident))
        .collect();
    (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>))
}

pub(crate) fn reach(model: &Model) -> Reached {
    let holder = match &model.handle {
        Handle::None => {
            return Reached { site: quote!(&__LARDER_SITE), family: quote!(&()) };
        }
        Handle::Type(name) => quote!(#name),
        Handle::Method(_) => quote!(Self),
    };
    let (site, family) = names(model);
    let arguments = turbofish(model);
    Reached { site: quote!(#holder::#site()), family: quote!(&#holder::#family #arguments) }
}
