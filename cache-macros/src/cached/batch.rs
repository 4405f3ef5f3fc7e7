//! Functions of many ids at once: each id is looked up by itself, and the body sees those that are missing.
//!
//! For the key, templates and the companion, the function takes one of the ids, by the name of all less its
//! last `s`.

use super::model::{Handle, Model};
use super::question::{declare, view, when};
use super::site::{self, reach};
use super::{borrow, companion, outlive};
use crate::diagnostics::Errors;
use crate::flow::Flow;
use crate::function::Function;
use crate::spans::{Place, at};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{FnArg, GenericArgument, Pat, PatIdent, PatType, PathArguments, Type, parse_quote};

/// What is said of a batch.
pub(crate) struct Batch {
    /// The function as it is written.
    pub(crate) function: Function,
    /// The collection of ids, without a reference to it, and whether there is one.
    collection: Type,
    is_borrowed: bool,
    /// Which argument it is.
    pub(crate) place: usize,
    /// One id, as it stands in the collection, and what a key is made of: that behind a reference.
    given: Type,
    id: Type,
}

/// Makes of a function of many ids that of one, and keeps what is written.
pub(crate) fn batch(
    written: Function,
    mut one: Function,
    ids: &Ident,
    errors: &mut Errors,
) -> Option<(Function, Batch)> {
    let is_it = |it: &Ident| it.unraw() == ids.unraw();
    let place = one.arguments.iter().position(|it| it.plain && it.names.iter().any(is_it));
    let Some(place) = place else {
        let message = format!("`batch` names no argument `{ids}`; name the one that holds the ids");
        errors.add(ids, message);
        return None;
    };
    let mut found = Errors::default();
    check(&written, place, &mut found);
    let kind = one.arguments[place].kind().clone();
    let (collection, is_borrowed) = match &kind {
        Type::Reference(reference) => ((*reference.elem).clone(), true),
        other => (other.clone(), false),
    };
    let Some(given) = element(&collection) else {
        found.add(
            &kind,
            "`batch` needs a collection of ids; take a slice, a `Vec`, a `HashSet` or a `BTreeSet`",
        );
        errors.take(found.instead_of(()));
        return None;
    };
    let (id, argument) = match &given {
        Type::Reference(reference) if !borrow::is_for_good(reference) => {
            ((*reference.elem).clone(), given.clone())
        }
        _ => (given.clone(), parse_quote!(&#given)),
    };
    if borrow::find(&id).is_some() {
        found.add(&id, "an id that borrows can't be kept in a key; take owned ids, or references");
    }
    errors.take(found.instead_of(()))?;
    let mut written = written;
    // The body gets another one, which may be changed.
    let inputs = written.signature.inputs.iter_mut();
    if let Some(PatType { pat, .. }) = inputs.filter_map(typed).nth(place)
        && let Pat::Ident(pattern) = &mut **pat
    {
        pattern.mutability = None;
    }
    let name = element_name(ids);
    let others = one.arguments.iter().enumerate().filter(|(at, _)| *at != place);
    if others.flat_map(|(_, it)| &it.names).any(|it| it.unraw() == name.unraw()) {
        let message = format!(
            "one of `{ids}` goes by the name `{name}`, and another argument has it; give that another name"
        );
        errors.add(ids, message);
        return None;
    }
    replace(&mut one, place, &name, &argument);
    Some((one, Batch { function: written, collection, is_borrowed, place, given, id }))
}

/// Reports what a body that may run more than once can't take.
fn check(function: &Function, place: usize, errors: &mut Errors) {
    for (at, argument) in function.arguments.iter().enumerate() {
        if at != place && !argument.plain {
            errors.add(
                &argument.written.pat,
                "the body of a batch may run more than once, so every argument needs a name of its \
                 own; take this apart in the body",
            );
        }
    }
    if let Some(receiver) = function.signature.receiver()
        && !matches!(receiver.kind, syn::ReceiverKind::Reference(..))
    {
        errors.add(receiver, "the body of a batch may run more than once; take `&self`");
    }
    if let Flow::Boxed { .. } = function.flow {
        errors.add(&function.signature.ident, "a boxed future can't be a batch; write `async fn`");
    }
}

/// Reports what can't be called once more by nobody. `option` asks for that.
pub(crate) fn check_outlived(batch: &Batch, option: &Ident, errors: &mut Errors) -> bool {
    let mut found = Errors::default();
    if let Some(receiver) = batch.function.signature.receiver() {
        let message = format!(
            "`{option}` outlives the call, and a batch with `self` can't; leave `{option}` out, or make \
             a function of it that takes what it needs of `self`"
        );
        found.add(receiver, message);
    }
    let ids = batch.function.arguments[batch.place].kind();
    if let Type::Reference(reference) = ids
        && borrow::is_for_good(reference)
    {
        let message =
            format!("`{option}` makes the call once more, for some of the ids; take `&[..]`");
        found.add(ids, message);
    }
    if let Type::Reference(reference) = &batch.given
        && !borrow::is_for_good(reference)
    {
        let message =
            format!("`{option}` outlives the call, and ids that borrow do not; take owned ids");
        found.add(&batch.given, message);
    }
    errors.take(found.instead_of(())).is_some()
}

/// The call once more, for some of the ids.
pub(crate) fn errand(model: &Model, batch: &Batch, given: &[TokenStream]) -> TokenStream {
    let paths = &model.paths;
    let (again, errand, ids_trait) = (paths.Again(), paths.Errand(), paths.Ids());
    let Batch { function, collection, is_borrowed, place, given: id, .. } = batch;
    let ids = if *is_borrowed {
        quote!(::core::borrow::Borrow::borrow(&__larder_own))
    } else {
        quote!(__larder_own)
    };
    let given = (0..given.len()).map(|at| if at == *place { &ids } else { &given[at] });
    let (name, arguments) = (&function.signature.ident, site::turbofish(model));
    let holder = function.is_associated().then(|| quote!(Self::));
    let call = quote!(#holder #name #arguments (#(#given),*));
    let made = if function.flow.is_async() {
        quote!(#errand::future(async move { #call.await }))
    } else {
        quote!(#errand::job(move || #call))
    };
    quote! {
        #again::new(move |__larder_missing: ::std::vec::Vec<#id>| {
            let __larder_own = <#collection as #ids_trait>::of(__larder_missing);
            #made
        })
    }
}

/// What makes it.
pub(crate) fn errand_type(model: &Model, batch: &Batch) -> TokenStream {
    let (again, id) = (model.paths.Again(), &batch.given);
    quote!(#again<#id>)
}

fn element(collection: &Type) -> Option<Type> {
    match collection {
        Type::Slice(slice) => Some((*slice.elem).clone()),
        Type::Paren(paren) => element(&paren.elem),
        Type::Group(group) => element(&group.elem),
        Type::Path(path) => {
            let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments
            else {
                return None;
            };
            match arguments.args.first()? {
                GenericArgument::Type(kind) => Some(kind.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// One of many: the name of all less its last `s`.
fn element_name(ids: &Ident) -> Ident {
    let name = ids.unraw().to_string();
    match name.strip_suffix('s').filter(|one| !one.is_empty()) {
        Some(one) if syn::parse_str::<Ident>(one).is_ok() => Ident::new(one, ids.span()),
        _ => ids.clone(),
    }
}

fn typed(input: &mut FnArg) -> Option<&mut PatType> {
    match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    }
}

fn replace(function: &mut Function, place: usize, name: &Ident, kind: &Type) {
    let argument = &mut function.arguments[place];
    *argument.written.pat = Pat::Ident(PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident: name.clone(),
        subpat: None,
    });
    *argument.written.ty = kind.clone();
    argument.names = vec![name.clone()];
    let written = argument.written.clone();
    let inputs = function.signature.inputs.iter_mut();
    if let Some(input) = inputs.filter_map(typed).nth(place) {
        *input = written;
    }
}

/// The type of one value.
pub(crate) fn value(model: &Model, batch: &Batch) -> TokenStream {
    let (answer, out, id) = (model.paths.Answer(), &model.out, &batch.id);
    quote!(<#out as #answer<#id>>::Value)
}

/// Looks the ids up, and computes what is missing.
pub(crate) fn call(model: &Model, batch: &Batch) -> TokenStream {
    let paths = &model.paths;
    let (batch_of, methods) = (paths.Batch(), paths.methods());
    let argument = &batch.function.arguments[batch.place];
    let ids = &argument.names[0];
    let given = if batch.is_borrowed { quote!(#ids) } else { quote!(&#ids) };
    let collection = &batch.collection;
    let one = quote!(__larder_each);
    let id = match &batch.given {
        Type::Reference(reference) if !borrow::is_for_good(reference) => quote!(*#one),
        _ => one.clone(),
    };
    let (kind, format) = (super::question::kind(model), super::question::format(model));
    let runtime = super::question::runtime(model);
    let look = look(model, batch, format.is_some());
    let format = format.map(|format| quote!(let __larder_format = #format;));
    let body = body(model, batch);
    let judge = super::question::judge(model);
    let (lay, fallback) = outlive::fallback(model).unzip();
    let fallback = fallback.into_iter();
    let (compute, wait) = match (model.function.flow.is_async(), model.fallback.is_some()) {
        (true, false) => (quote!(compute_async), quote!(.await)),
        (true, true) => (quote!(compute_or_async), quote!(.await)),
        (false, false) => (quote!(compute), TokenStream::new()),
        (false, true) => (quote!(compute_or), TokenStream::new()),
    };
    let again_of = paths.Again();
    let nothing = quote!(::core::option::Option::None::<fn() -> #again_of<_>>);
    let again = outlive::again(model);
    let again = again.map_or(nothing, |again| quote!(::core::option::Option::Some(#again)));
    let site = reach(model).site;
    quote! {
        #runtime
        let __larder_kind = {
            #[allow(unused_imports)]
            use #methods::*;
            #kind
        };
        #format
        #[allow(clippy::explicit_auto_deref, clippy::needless_borrow)]
        let __larder_batch =
            #batch_of::<#collection, _, _, _, _, _>::ask(#site, #given, |#one| #id, #look, #again);
        #lay
        __larder_batch.#compute(#body, #judge #(, #fallback)*) #wait
    }
}

/// What looks one id up.
fn look(model: &Model, batch: &Batch, is_stored: bool) -> TokenStream {
    let paths = &model.paths;
    let (methods, call, pass) = (paths.methods(), paths.Call(), paths.pass());
    let sitting = paths.Sitting();
    let site::Reached { site, family } = reach(model);
    // The companion's calls for one id are the same function's.
    let instance = match &model.handle {
        Handle::Type(_) => family.clone(),
        Handle::None | Handle::Method(_) => quote!(&|| {}),
    };
    let look_up = if is_stored { paths.look_up_stored() } else { paths.look_up() };
    let stored = is_stored.then(|| quote!(.stored(__larder_format)));
    let (view, declare) = (view(model), declare(model));
    let on = model.runtime.as_ref().map(|_| quote!(.on(__larder_runtime)));
    let look_up = quote!(#look_up(__larder_call, &#view, __larder_declare));
    let look_up = match when(model) {
        Some(when) => quote! {
            #when
            if __larder_when { #look_up } else { #pass(&__larder_call, __larder_declare) }
        },
        None => look_up,
    };
    let (name, id) = (&model.function.arguments[batch.place].names[0], &batch.id);
    quote! {
        |#name: &#id, __larder_sitting: &mut #sitting<'_>| {
            #[allow(unused_imports)]
            use #methods::*;
            let __larder_declare = #declare;
            let __larder_call =
                #call::new(#site, #instance, #family, __larder_kind).together(__larder_sitting) #on #stored;
            #look_up
        }
    }
}

/// The body, of the ids that are missing. It may run more than once, and what it takes is cloned.
fn body(model: &Model, batch: &Batch) -> TokenStream {
    let (ids_trait, spare, out) = (model.paths.Ids(), model.paths.spare(), &model.out);
    let Batch { function, collection, is_borrowed, place, given, .. } = batch;
    let spares = function.arguments.iter().enumerate();
    let spares = spares.filter(|(at, it)| at != place && !matches!(it.kind(), Type::Reference(_)));
    let spares = spares.map(|(_, argument)| {
        let name = &argument.names[0];
        let spare = at(Place::of(argument.kind()), spare.clone());
        quote!(let #name = #spare(&#name);)
    });
    let pattern = &function.arguments[*place].written.pat;
    let own = quote!(<#collection as #ids_trait>::of(__larder_missing));
    let bind = if *is_borrowed {
        quote! {
            let __larder_own = #own;
            let #pattern: &#collection = ::core::borrow::Borrow::borrow(&__larder_own);
        }
    } else {
        quote!(let #pattern: #collection = #own;)
    };
    let body = &function.body;
    let missing = quote!(__larder_missing: ::std::vec::Vec<#given>);
    if !function.flow.is_async() {
        return quote!(|#missing| -> #out { #(#spares)* #bind #body });
    }
    let body = body.stream();
    quote! {
        |#missing| {
            #(#spares)*
            async move {
                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                if let ::core::option::Option::Some(__larder_out) =
                    ::core::option::Option::None::<#out>
                {
                    return __larder_out;
                }
                #bind
                #body
            }
        }
    }
}

/// The function that makes a call for one id, of which another function brings the body.
pub(crate) fn one(model: &Model, batch: &Batch) -> TokenStream {
    let paths = &model.paths;
    let (methods, found, verdict) = (paths.methods(), paths.Found(), paths.Verdict());
    let sit = paths.sit();
    let value = value(model, batch);
    let option = quote!(::core::option::Option);
    let (kind, format) = (super::question::kind(model), super::question::format(model));
    let runtime = super::question::runtime(model);
    let look = look(model, batch, format.is_some());
    let format = format.map(|format| quote!(let __larder_format = #format;));
    let judge = super::question::judge(model);
    let inputs = super::inputs::Inputs::of_key(model);
    let name = &model.function.arguments[batch.place].names[0];
    let id = &batch.id;
    let declared =
        inputs.as_written_but(batch.place, &quote!(#name: impl ::core::borrow::Borrow<#id>));
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let visibility = &model.function.visibility;
    let is_async = model.function.flow.is_async();
    let (made, future) = if is_async {
        (
            format_ident!("__LarderFuture"),
            Some(quote!(__LarderFuture: ::core::future::Future<Output = #option<#value>>)),
        )
    } else {
        (format_ident!("__LarderNothing"), None)
    };
    let output = if is_async { quote!(#made) } else { quote!(#option<#value>) };
    let mut all = generics.clone();
    if let Some(future) = future {
        all.params.push(parse_quote!(#future));
    }
    let (colour, compute, wait) = if is_async {
        (quote!(async), quote!(compute_async), quote!(.await))
    } else {
        (TokenStream::new(), quote!(compute), TokenStream::new())
    };
    // What is given then is given for many, and what takes too long is seen to by their batch.
    let is_limited = model.fallback.is_some() || model.site.freshness.timeout.is_some();
    let leisure = is_limited.then(|| quote!(.at_leisure()));
    quote! {
        #visibility #colour fn __larder_one #all (
            #(#declared,)*
            __larder_body: impl ::core::ops::FnOnce() -> #output
        ) -> #option<#value> #bounds {
            #runtime
            let __larder_kind = {
                #[allow(unused_imports)]
                use #methods::*;
                #kind
            };
            #format
            let __larder_look = #look;
            let __larder_judge = #judge;
            let __larder_found = #sit(|__larder_sitting| {
                __larder_look(::core::borrow::Borrow::borrow(&#name), __larder_sitting)
            });
            match __larder_found {
                #found::Hit(__larder_out) => __larder_out,
                #found::Miss(__larder_miss) => __larder_miss #leisure .#compute(
                    __larder_body,
                    |__larder_out: &#option<#value>| match __larder_out {
                        #option::Some(__larder_out) => __larder_judge(__larder_out),
                        #option::None => #verdict::new(),
                    },
                ) #wait,
            }
        }
    }
}

/// The operations of the companion that call the function with all it takes.
pub(crate) fn by_call(model: &Model, batch: &Batch) -> TokenStream {
    let paths = &model.paths;
    let function = &batch.function;
    let name = &function.signature.ident;
    let generics = &function.signature.generics;
    let bounds = &generics.where_clause;
    let visibility = &function.visibility;
    let (out, options) = (&model.out, paths.Options());
    let names: Vec<_> =
        (0..function.arguments.len()).map(|at| format_ident!("__larder_{at}")).collect();
    let inputs = names.iter().zip(&function.arguments).map(|(name, argument)| {
        let kind = argument.kind();
        quote!(#name: #kind)
    });
    let inputs: Vec<_> = inputs.collect();
    let arguments = site::turbofish(model);
    let (asynchronous, wait) = companion::colour(model);
    let call = quote!(#name #arguments (#(#names),*));
    let (with, call) = if function.flow.is_async() {
        (paths.scope(), call)
    } else {
        (paths.with(), quote!(|| #call))
    };
    let operation = |name: &str, more: TokenStream, said: TokenStream| {
        let name = format_ident!("{name}");
        quote! {
            #visibility #asynchronous fn #name #generics (#more #(#inputs),*) -> #out #bounds {
                #with(#said, #call) #wait
            }
        }
    };
    let nothing = TokenStream::new;
    let with_options =
        operation("with", quote!(__larder_options: #options,), quote!(__larder_options));
    let refresh = operation("refresh", nothing(), quote!(#options::new().skip_read()));
    let uncached =
        operation("uncached", nothing(), quote!(#options::new().skip_read().read_only()));
    let one = one(model, batch);
    quote!(#with_options #refresh #uncached #one)
}
