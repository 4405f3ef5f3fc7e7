//! What only types can answer, put so that a wrong answer is at the word that is to blame.

use super::batch;
use super::model::Model;
use crate::spans::{Place, at, brackets, over};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprPath};

/// How many parts one tuple takes.
const PARTS: usize = 8;

/// How the return type is kept.
pub(crate) fn kind(model: &Model) -> TokenStream {
    let place = Place::of(&model.out);
    let out = match &model.batch {
        Some(of_many) => at(place, batch::value(model, of_many)),
        None => model.out.to_token_stream(),
    };
    let (probe, negative) = (at(place, model.paths.Probe()), at(place, model.paths.Negative()));
    let new = at(place, quote!(::new()));
    let asked = brackets(place.first, quote!(&&&&#probe::<#out> #new));
    let answer = over(place, quote!(.__larder_kind()));
    let mut kind = quote!(#asked #answer);
    if model.batch.is_some() {
        let (each, of_one) = (at(place, model.paths.Each()), brackets(place.last, kind));
        kind = quote!(#each #of_one);
    }
    if model.site.negative.is_some() {
        let (of, kind_of) = (at(place, quote!(::of)), brackets(place.last, kind));
        kind = quote!(#negative #of #kind_of);
    }
    let (checked, kind) = (at(place, quote!(::checked)), brackets(place.last, kind));
    quote!(#probe #checked #kind)
}

/// How the return type is kept, for a call or an entry: what has to be said before, what is then
/// handed over, and the form in bytes where there are tiers beyond L1.
pub(crate) struct Asked {
    pub(crate) before: TokenStream,
    pub(crate) kind: TokenStream,
    pub(crate) format: Option<TokenStream>,
}

/// Asks the return type once, however often the answer is needed.
pub(crate) fn asked(model: &Model) -> Asked {
    let kind = kind(model);
    let Some(format) = format(model) else {
        return Asked { before: TokenStream::new(), kind, format: None };
    };
    Asked {
        before: quote!(let __larder_kind = #kind;),
        kind: quote!(__larder_kind),
        format: Some(format),
    }
}

/// The form in bytes of what a kind called `__larder_kind` keeps, where there are tiers beyond L1.
pub(crate) fn format(model: &Model) -> Option<TokenStream> {
    let stored = model.site.stored.as_ref()?;
    let place = Place::of(&model.out);
    // What makes a format is called what the codec is called.
    let codec = Ident::new(stored.codec.unwrap_or("bincode"), Span::call_site());
    let (format, codec) = (at(place, model.paths.Format()), at(place, quote!(::#codec)));
    let of_kind = brackets(place.last, at(place, quote!(__larder_kind)));
    Some(quote!(#format #codec #of_kind))
}

/// The borrowed parts of the key.
pub(crate) fn view(model: &Model) -> TokenStream {
    let mut parts: Vec<_> = model.key.parts.iter().map(|expr| part(model, expr)).collect();
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

fn part(model: &Model, expr: &Expr) -> TokenStream {
    let place = Place::of(expr);
    let arg = at(place, model.paths.Arg());
    let expr = operand(expr);
    let asked = brackets(place.last, quote!(&#expr));
    let answer = over(place, quote!(.__larder_part()));
    let (checked, part) =
        (at(place, quote!(::checked)), brackets(place.last, quote!(#arg #asked #answer)));
    let part = quote!(#arg #checked #part);
    if model.site.stored.is_none() {
        return part;
    }
    let (storable, part) = (at(place, quote!(::storable)), brackets(place.last, part));
    quote!(#arg #storable #part)
}

/// An expression behind a `&`.
pub(crate) fn operand(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Path(_)
        | Expr::Field(_)
        | Expr::MethodCall(_)
        | Expr::Call(_)
        | Expr::Index(_)
        | Expr::Macro(_)
        | Expr::Lit(_)
        | Expr::Paren(_)
        | Expr::Tuple(_) => expr.to_token_stream(),
        _ => quote!((#expr)),
    }
}

/// What the functions named in the attribute say of a computed value.
pub(crate) fn judge(model: &Model) -> TokenStream {
    let verdict = model.paths.Verdict();
    let judge = &model.judge;
    let asked = [
        (quote!(.keep_if), &judge.cache_if),
        (quote!(.ttl), &judge.ttl_for),
        (quote!(.tags), &judge.tags_for),
        (quote!(.weight), &judge.weigh),
    ];
    let asked: Vec<_> =
        asked.into_iter().filter_map(|(name, path)| Some(ask(&name, path.as_ref()?))).collect();
    let out = &model.out;
    if let Some(of_many) = &model.batch {
        let value = batch::value(model, of_many);
        return quote!(|__larder_out: &#value| #verdict::new() #(#asked)*);
    }
    if asked.is_empty() {
        return quote!(|_| #verdict::new());
    }
    quote!(|__larder_out: &#out| #verdict::new() #(#asked)*)
}

fn ask(name: &TokenStream, path: &ExprPath) -> TokenStream {
    let place = Place::of(path);
    let name = at(place, name.clone());
    let value = brackets(place.last, at(place, quote!(__larder_out)));
    let value = brackets(place.last, quote!(#path #value));
    quote!(#name #value)
}

/// Binds the runtime that the attribute names. What a call returns lives as long as the block.
pub(crate) fn runtime(model: &Model) -> Option<TokenStream> {
    let runtime = model.runtime.as_ref()?;
    let place = Place::of(runtime);
    let kind = at(place, model.paths.Runtime());
    let borrow = at(place, quote!(&));
    let runtime = operand(runtime);
    Some(quote!(let __larder_runtime: #borrow #kind = #borrow #runtime;))
}

/// Binds the condition that the attribute names.
pub(crate) fn when(model: &Model) -> Option<TokenStream> {
    let when = model.when.as_ref()?;
    let kind = at(Place::of(when), quote!(::core::primitive::bool));
    Some(quote!(let __larder_when: #kind = #when;))
}

/// What is said of the entry on a miss: its tags, its readable key, and the files it depends on.
pub(crate) fn declare(model: &Model) -> TokenStream {
    let declared = model.paths.Declared();
    let tags = model.tags.iter().map(|tag| {
        let format = tag.format(ToTokens::to_token_stream);
        quote!(__larder_declared.tag(::core::format_args!(#format));)
    });
    let key = model.key.readable.iter().map(|template| {
        let place = Place::of(&template.literal);
        let escaped = at(place, model.paths.Escaped());
        let format = template.format(|expr| {
            let value = brackets(place.last, quote!(&#expr));
            quote!(#escaped #value)
        });
        quote!(__larder_declared.key(::core::format_args!(#format));)
    });
    let files = model.files.iter().map(|expr| {
        let place = Place::of(expr);
        let (depend, borrow) = (at(place, quote!(.files)), at(place, quote!(&)));
        let expr = operand(expr);
        let files = brackets(place.last, quote!(#borrow #expr));
        quote!(__larder_declared #depend #files;)
    });
    let said: TokenStream = tags.chain(key).chain(files).collect();
    if said.is_empty() {
        quote!(|_: &mut #declared| {})
    } else {
        quote!(|__larder_declared: &mut #declared| { #said })
    }
}
