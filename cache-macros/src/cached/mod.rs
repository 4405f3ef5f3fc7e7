//! `#[cached]`: parse, validate, model, generate.
//!
//! Faults are collected along the way. `generate` can't fail: a model that would make it fail
//! can't be built.

mod batch;
mod batch_of;
mod borrow;
mod companion;
mod files;
mod freshness;
mod generate;
mod handle;
mod inputs;
mod key;
mod lifetime;
mod mention;
mod model;
mod outlive;
mod parse;
mod question;
mod signature;
mod site;
mod stored;
mod tier;
mod validate;
mod value;

use crate::diagnostics::Errors;
use crate::function::Function;
use proc_macro2::TokenStream;

pub(crate) fn expand(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let written = quote::quote!(#[#options] #item);
    let options = parse::Options::read(options, &mut errors);
    let function = errors.take(syn::parse2::<Function>(item.clone()));
    if let (Some(function), Some(of_many)) = (&function, &options.batch_of) {
        let expansion = batch_of::expansion(function, &of_many.value, &options, &mut errors);
        return match errors.into_compile_error() {
            None => expansion,
            Some(faults) => quote::quote!(#faults #item),
        };
    }
    let model = function
        .and_then(|function| validate::model(function, item, options, written, &mut errors));
    match (errors.into_compile_error(), model) {
        (None, Some(model)) => generate::expansion(&model),
        (faults, _) => {
            let faults = faults.unwrap_or_default();
            quote::quote!(#faults #item)
        }
    }
}

#[cfg(test)]
mod tests;
