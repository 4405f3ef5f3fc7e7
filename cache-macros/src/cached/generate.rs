//! The expansion: the function with its look-up, and the companion beside it.

use super::model::{Handle, Model};
use super::question::{Asked, asked, declare, judge, runtime, view, when};
use super::{batch, companion, outlive, site};
use crate::flow::Flow;
use proc_macro2::TokenStream;
use quote::quote;

pub(crate) fn expansion(model: &Model) -> TokenStream {
    let function = model.written();
    let attributes = &function.attributes;
    let doc = companion::doc(model);
    let visibility = &function.visibility;
    let defaultness = &function.defaultness;
    let signature = &function.signature;
    let body = body(model);
    let companion = companion::companion(model);
    quote! {
        #(#attributes)*
        #doc
        #visibility #defaultness #signature #body
        #companion
    }
}

fn body(model: &Model) -> TokenStream {
    let call = call(model);
    match &model.function.flow {
        Flow::Plain | Flow::Async => quote!({ #call }),
        Flow::Boxed { around, .. } => {
            quote!({ #around ::std::boxed::Box::pin(async move { #call }) })
        }
    }
}

/// Looks up, and computes on a miss.
fn call(model: &Model) -> TokenStream {
    let site = match &model.handle {
        Handle::None => site::declaration(model),
        Handle::Type(_) | Handle::Method(_) => TokenStream::new(),
    };
    if let Some(of_many) = &model.batch {
        let call = batch::call(model, of_many);
        return quote!(#site #call);
    }
    let found = model.paths.Found();
    let look_up = look_up(model);
    let compute = compute(model);
    quote! {
        #site
        #[allow(clippy::used_underscore_binding)]
        let __larder_found = #look_up;
        match __larder_found {
            #found::Hit(__larder_out) => __larder_out,
            #found::Miss(__larder_miss) => #compute,
        }
    }
}

fn compute(model: &Model) -> TokenStream {
    let out = &model.out;
    let judge = judge(model);
    let (lay, fallback) = outlive::fallback(model).unzip();
    let fallback: Vec<_> = fallback.into_iter().collect();
    let has_limit = model.fallback.is_some();
    let body = match &model.function.flow {
        Flow::Plain => {
            let body = &model.function.body;
            let compute = if has_limit { quote!(compute_or) } else { quote!(compute) };
            let call = quote!(__larder_miss.#compute(|| -> #out #body, #judge #(, #fallback)*));
            return if has_limit { quote!({ #lay #call }) } else { call };
        }
        Flow::Async => model.function.body.stream(),
        Flow::Boxed { inside, .. } => inside.clone(),
    };
    let compute = match (has_limit, model.site.is_far()) {
        (true, _) => quote!(compute_or_async),
        (false, true) => quote!(glance_or_compute),
        (false, false) => quote!(compute_async),
    };
    // The first statement says what type the block is of, so that `?` and `return` know it.
    let call = quote! {
        __larder_miss.#compute(
            move || async move {
                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                if let ::core::option::Option::Some(__larder_out) =
                    ::core::option::Option::None::<#out>
                {
                    return __larder_out;
                }
                #body
            },
            #judge,
            #(#fallback,)*
        )
    };
    let is_boxed = !has_limit && !model.site.is_far();
    let call = if is_boxed { call } else { quote!(::std::boxed::Box::pin(#call)) };
    let call = quote!(#call.await);
    if has_limit { quote!({ #lay #call }) } else { call }
}

fn look_up(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let (methods, pass, call) = (paths.methods(), paths.pass(), paths.Call());
    let site::Reached { site, family } = site::reach(model);
    let Asked { before, kind, format } = asked(model);
    let look_up = if format.is_some() { paths.look_up_stored() } else { paths.look_up() };
    let stored = format.map(|format| quote!(.stored(#format)));
    let view = view(model);
    let declare = declare(model);
    let runtime = runtime(model);
    let again = outlive::again(model);
    let outlived = again.as_ref().map(|_| quote!(.outlived_by(&__larder_again)));
    let again = again.map(|again| quote!(let __larder_again = #again;));
    let on = model.runtime.as_ref().map(|_| quote!(.on(__larder_runtime)));
    let look_up = quote!(#look_up(__larder_call, &#view, __larder_declare));
    let look_up = match when(model) {
        Some(when) => quote! {
            #when
            if __larder_when {
                #look_up
            } else {
                #pass(&__larder_call, __larder_declare)
            }
        },
        None => look_up,
    };
    quote!({
        #[allow(unused_imports)]
        use #methods::*;
        #runtime
        let __larder_declare = #declare;
        #before
        #again
        let __larder_call = #call::new(#site, &|| {}, #family, #kind) #on #outlived #stored;
        #look_up
    })
}
