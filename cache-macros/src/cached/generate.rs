//! The expansion: the function with its look-up, and the companion beside it.

use super::ast::Flow;
use super::model::{Handle, Model};
use super::{companion, site};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Type};

/// How many parts one tuple takes.
const PARTS: usize = 8;

pub(crate) fn expansion(model: &Model) -> TokenStream {
    let function = &model.function;
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
    let site = match &model.handle {
        Handle::None => site::declaration(model),
        Handle::Type(_) | Handle::Method(_) => TokenStream::new(),
    };
    let look_up = look_up(model);
    let found = model.paths.Found();
    let out = &model.out;
    let judge = judge(model);
    let compute = match &model.function.flow {
        Flow::Plain => {
            let body = &model.function.body;
            quote!(__larder_miss.compute(|| -> #out #body, #judge))
        }
        Flow::Async => compute_async(out, &model.function.body.stream(), &judge),
        Flow::Boxed { inside, .. } => compute_async(out, inside, &judge),
    };
    let call = quote! {
        #site
        let __larder_found = #look_up;
        match __larder_found {
            #found::Hit(__larder_out) => __larder_out,
            #found::Miss(__larder_miss) => #compute,
        }
    };
    match &model.function.flow {
        Flow::Plain | Flow::Async => quote!({ #call }),
        Flow::Boxed { around, .. } => {
            quote!({ #around ::std::boxed::Box::pin(async move { #call }) })
        }
    }
}

/// The body as an async block whose type is said, so that `?` and `return` know it.
fn compute_async(out: &Type, body: &TokenStream, judge: &TokenStream) -> TokenStream {
    quote! {
        ::std::boxed::Box::pin(__larder_miss.compute_async(
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
        ))
        .await
    }
}

fn look_up(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let (methods, look_up, pass) = (paths.methods(), paths.look_up(), paths.pass());
    let call = call(model);
    let view = view(model);
    let declare = declare(model);
    let look_up = quote!(#look_up(__larder_call, &#view, #declare));
    let look_up = match &model.when {
        Some(when) => quote! {
            if #when { #look_up } else { #pass(&__larder_call, #declare) }
        },
        None => look_up,
    };
    quote!({
        #[allow(unused_imports)]
        use #methods::*;
        let __larder_call = #call;
        #look_up
    })
}

fn call(model: &Model) -> TokenStream {
    let call = model.paths.Call();
    let site::Reached { site, family } = site::reach(model);
    let kind = kind(model);
    let runtime = model.runtime.as_ref().map(|runtime| quote!(.on(&#runtime)));
    quote!(#call::new(#site, &|| {}, #family, #kind) #runtime)
}

/// The question what the return type means, put where types can answer.
pub(crate) fn kind(model: &Model) -> TokenStream {
    let paths = &model.paths;
    let (probe, negative) = (paths.Probe(), paths.Negative());
    let out = &model.out;
    let kind = quote_spanned!(out.span()=> (&&&&#probe::<#out>::new()).kind());
    if model.site.negative.is_some() { quote!(#negative(#kind)) } else { kind }
}

/// The borrowed parts of the key.
pub(crate) fn view(model: &Model) -> TokenStream {
    let arg = model.paths.Arg();
    let part = |expr: &Expr| quote_spanned!(expr.span()=> #arg(&#expr).part());
    let mut parts: Vec<TokenStream> = model.key.parts.iter().map(part).collect();
    if model.site.context {
        let ambient = model.paths.AmbientPart();
        parts.push(quote!(#ambient::current()));
    }
    let nested = model.paths.Nested();
    while parts.len() > PARTS {
        parts = parts.chunks(PARTS).map(|parts| quote!(#nested((#(#parts,)*)))).collect();
    }
    quote!((#(#parts,)*))
}

/// What is said of the entry on a miss: its tags and its readable key.
fn declare(model: &Model) -> TokenStream {
    let escaped = model.paths.Escaped();
    let tags = model.tags.iter().map(|tag| {
        let format = tag.format(ToTokens::to_token_stream);
        quote!(__larder_declared.tag(::core::format_args!(#format));)
    });
    let key = model.key.readable.iter().map(|template| {
        let format = template.format(|expr| quote!(#escaped(&#expr)));
        quote!(__larder_declared.key(::core::format_args!(#format));)
    });
    let said: TokenStream = tags.chain(key).collect();
    if said.is_empty() { quote!(|_| {}) } else { quote!(|__larder_declared| { #said }) }
}

/// What the functions named in the attribute say of a computed value.
fn judge(model: &Model) -> TokenStream {
    let verdict = model.paths.Verdict();
    let judge = &model.judge;
    let asked = [
        ("keep_if", &judge.cache_if),
        ("ttl", &judge.ttl_for),
        ("tags", &judge.tags_for),
        ("weight", &judge.weigh),
    ];
    let asked: Vec<_> = asked
        .into_iter()
        .filter_map(|(name, path)| {
            let path = path.as_ref()?;
            let name = proc_macro2::Ident::new(name, path.span());
            Some(quote_spanned!(path.span()=> .#name(#path(__larder_out))))
        })
        .collect();
    let out = &model.out;
    if asked.is_empty() {
        quote!(|_| #verdict::new())
    } else {
        quote!(|__larder_out: &#out| #verdict::new() #(#asked)*)
    }
}
