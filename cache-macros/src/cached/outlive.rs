//! Calls whose computation may go on without them: what that asks of their arguments, and how the call is
//! made once more.

use super::model::{Handle, Model};
use super::site::turbofish;
use super::{batch, borrow};
use crate::diagnostics::Errors;
use crate::function::{Argument, Function};
use crate::paths::Paths;
use crate::spans::{Place, at, brackets};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{GenericArgument, PathArguments, ReceiverKind, Type, TypeImplTrait};

/// How each argument outlives its call, by place.
pub(crate) struct Outlive(Vec<Form>);

enum Form {
    /// Others come in its place.
    Replaced,
    /// By value.
    Kept,
    /// Borrowed, as this.
    Borrowed(Type),
    OptionallyBorrowed(Type),
    MaybeBorrowed(Type),
}

/// Finds out how, or reports what can't. `option` asks for it.
pub(crate) fn outlive(
    function: &Function,
    handle: &Handle,
    option: &Ident,
    errors: &mut Errors,
) -> Option<Outlive> {
    outlive_each(function, None, handle, option, errors)
}

/// The same but for the ids of a batch.
pub(crate) fn outlive_but(
    function: &Function,
    ids: usize,
    handle: &Handle,
    option: &Ident,
    errors: &mut Errors,
) -> Option<Outlive> {
    outlive_each(function, Some(ids), handle, option, errors)
}

fn outlive_each(
    function: &Function,
    replaced: Option<usize>,
    handle: &Handle,
    option: &Ident,
    errors: &mut Errors,
) -> Option<Outlive> {
    let mut found = Errors::default();
    check_receiver(function, option, &mut found);
    if matches!(handle, Handle::None) && function.signature.asyncness.is_some() {
        let message = format!(
            "`{option}` needs a companion where the function is async; \
             leave `handle = none` out, or write `handle = name` on a method"
        );
        found.add(option, message);
    }
    let arguments = function.arguments.iter().enumerate();
    let forms = arguments.map(|(at, argument)| match replaced {
        Some(ids) if ids == at => Form::Replaced,
        _ => form(argument, option, &mut found),
    });
    let forms = forms.collect();
    errors.take(found.instead_of(Outlive(forms)))
}

fn check_receiver(function: &Function, option: &Ident, errors: &mut Errors) {
    let Some(receiver) = function.signature.receiver() else { return };
    let is_shared = match &receiver.kind {
        ReceiverKind::Typed(_, kind) => match &**kind {
            Type::Path(path) => path.path.segments.last().is_some_and(|it| it.ident == "Arc"),
            _ => false,
        },
        _ => false,
    };
    if !is_shared {
        let message =
            format!("`{option}` outlives the call, so a method has to take `self: Arc<Self>`");
        errors.add(receiver, message);
    }
}

fn form(argument: &Argument, option: &Ident, errors: &mut Errors) -> Form {
    let kind = argument.kind();
    if !argument.plain {
        let message = format!(
            "`{option}` makes the call once more, so every argument needs a name of its own; \
             take this apart in the body"
        );
        errors.add(&argument.written.pat, message);
        return Form::Kept;
    }
    let form = borrowed(kind);
    let inner = match &form {
        Form::Kept | Form::Replaced => kind,
        Form::Borrowed(it) | Form::OptionallyBorrowed(it) | Form::MaybeBorrowed(it) => it,
    };
    let is_unnamed = !matches!(form, Form::Kept) && has_no_name(inner);
    if borrow::find(inner).is_some() {
        let message = format!(
            "`{option}` outlives the call, and what this borrows does not; \
             take an owned value, an `Arc`, `&T`, `Option<&T>` or `Cow<'_, T>`"
        );
        errors.add(kind, message);
    } else if is_unnamed {
        let message = format!(
            "`{option}` outlives the call, and has to name what this borrows; \
             write a type parameter instead of `impl Trait`"
        );
        errors.add(kind, message);
    }
    form
}

fn borrowed(kind: &Type) -> Form {
    match kind {
        Type::Paren(paren) => borrowed(&paren.elem),
        Type::Group(group) => borrowed(&group.elem),
        Type::Reference(reference) if borrow::is_for_good(reference) => Form::Kept,
        Type::Reference(reference) => Form::Borrowed((*reference.elem).clone()),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return Form::Kept };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else {
                return Form::Kept;
            };
            match (arguments.args.last(), last.ident.to_string().as_str()) {
                (Some(GenericArgument::Type(Type::Reference(reference))), "Option")
                    if !borrow::is_for_good(reference) =>
                {
                    Form::OptionallyBorrowed((*reference.elem).clone())
                }
                (Some(GenericArgument::Type(inner)), "Cow") if borrow::find(kind).is_some() => {
                    Form::MaybeBorrowed(inner.clone())
                }
                _ => Form::Kept,
            }
        }
        _ => Form::Kept,
    }
}

/// Whether a type is known by what it can do alone.
fn has_no_name(kind: &Type) -> bool {
    struct Unnamed(bool);
    impl<'ast> Visit<'ast> for Unnamed {
        fn visit_type_impl_trait(&mut self, kind: &'ast TypeImplTrait) {
            self.0 = true;
            visit::visit_type_impl_trait(self, kind);
        }
    }
    let mut unnamed = Unnamed(false);
    unnamed.visit_type(kind);
    unnamed.0
}

impl Form {
    /// The argument, owned.
    fn own(&self, paths: &Paths, argument: &Argument, name: &Ident) -> TokenStream {
        let place = Place::of(argument.kind());
        let (own, kind, rest) = match self {
            Self::Kept | Self::Replaced => {
                return owning(place, paths.kept(), &TokenStream::new(), name);
            }
            Self::Borrowed(kind) => (paths.owned(), kind, quote!(, _>)),
            Self::OptionallyBorrowed(kind) => (paths.owned_option(), kind, quote!(, _>)),
            Self::MaybeBorrowed(kind) => (paths.owned_cow(), kind, quote!(>)),
        };
        let (open, close) = (at(place, quote!(::<)), at(place, rest));
        owning(place, own, &quote!(#open #kind #close), name)
    }

    /// What the function takes.
    fn lend(&self, paths: &Paths, name: &Ident) -> TokenStream {
        let (lent, lent_option) = (paths.lent(), paths.lent_option());
        match self {
            Self::Kept | Self::MaybeBorrowed(_) | Self::Replaced => quote!(#name),
            Self::Borrowed(_) => quote!(#lent(&#name)),
            Self::OptionallyBorrowed(_) => quote!(#lent_option(#name.as_ref())),
        }
    }
}

fn owning(place: Place, own: TokenStream, kind: &TokenStream, name: &Ident) -> TokenStream {
    let own = at(place, own);
    let name = brackets(place.last, name.to_token_stream());
    quote!(#own #kind #name)
}

/// The function that makes the call once more, beside the function or the method.
pub(crate) fn beside(model: &Model) -> Option<TokenStream> {
    model.outlive.as_ref()?;
    let name = match &model.handle {
        Handle::None => return None,
        Handle::Type(_) => format_ident!("__larder_again"),
        Handle::Method(handle) => beside_method(handle),
    };
    let errand = match &model.batch {
        Some(of_many) => batch::errand_type(model, of_many),
        None => model.paths.Errand(),
    };
    let generics = &model.function.signature.generics;
    let bounds = &generics.where_clause;
    let receiver = model.function.signature.receiver();
    let receiver = receiver.into_iter().map(ToTokens::to_token_stream);
    let inputs = names(model).into_iter().zip(&model.written().arguments);
    let inputs = but_ids(model, inputs).map(|(name, argument)| {
        let kind = argument.kind();
        quote!(#name: #kind)
    });
    let inputs = receiver.chain(inputs);
    let made = errand_of(model)?;
    Some(quote!(fn #name #generics (#(#inputs),*) -> #errand #bounds { #made }))
}

fn beside_method(handle: &Ident) -> Ident {
    format_ident!("__larder_{}_again", handle.unraw(), span = handle.span())
}

/// What the expansion gives for the call being made once more.
pub(crate) fn again(model: &Model) -> Option<TokenStream> {
    model.outlive.as_ref()?;
    let arguments = turbofish(model);
    let clone = quote!(::core::clone::Clone::clone);
    let own = but_ids(model, names_as_they_are(model)).map(|name| quote!(#clone(&#name)));
    let receiver = model.function.signature.receiver().map(|it| {
        let this = &it.self_token;
        quote!(#clone(&#this))
    });
    let own = receiver.into_iter().chain(own);
    Some(match &model.handle {
        Handle::Type(name) => quote!(|| #name::__larder_again #arguments (#(#own),*)),
        Handle::Method(handle) => {
            let (holder, name) = (Ident::new("Self", handle.span()), beside_method(handle));
            quote!(|| #holder::#name #arguments (#(#own),*))
        }
        Handle::None => {
            let bound = but_ids(model, names_as_they_are(model));
            let made = errand_of(model)?;
            let own = bound.map(|name| quote!(let #name = #clone(&#name);));
            quote!(|| { #(#own)* #made })
        }
    })
}

/// All but what the ids of a batch have.
fn but_ids<T>(model: &Model, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    let ids = model.batch.as_ref().map(|batch| batch.place);
    all.enumerate().filter(move |(at, _)| Some(*at) != ids).map(|(_, one)| one)
}

fn names_as_they_are(model: &Model) -> impl Iterator<Item = &Ident> {
    model.written().arguments.iter().filter_map(|it| it.names.first())
}

fn names(model: &Model) -> Vec<Ident> {
    match &model.handle {
        Handle::Type(_) => super::inputs::Inputs::of_written(model).names(),
        Handle::None | Handle::Method(_) => names_as_they_are(model).cloned().collect(),
    }
}

/// Owns the arguments, and makes the call of it.
fn errand_of(model: &Model) -> Option<TokenStream> {
    let Outlive(forms) = model.outlive.as_ref()?;
    let paths = &model.paths;
    let (function, arguments) = (&model.function.signature.ident, turbofish(model));
    let names = names(model);
    let parts = names.iter().zip(forms).zip(&model.written().arguments);
    let own = but_ids(model, parts.clone()).map(|((name, form), argument)| {
        let own = form.own(paths, argument, name);
        quote!(let #name = #own;)
    });
    let lent = parts.map(|((name, form), _)| form.lend(paths, name));
    if let Some(of_many) = &model.batch {
        let lent: Vec<_> = lent.collect();
        let errand = batch::errand(model, of_many, &lent);
        return Some(quote!(#(#own)* #errand));
    }
    let receiver = model.function.signature.receiver().map(|it| &it.self_token);
    let this = receiver.map(|it| quote!(let __larder_self = ::core::clone::Clone::clone(&#it);));
    let lent = receiver.map(|_| quote!(__larder_self)).into_iter().chain(lent);
    let holder = model.function.is_associated().then(|| quote!(Self::));
    let call = quote!(#holder #function #arguments (#(#lent),*));
    let errand = paths.Errand();
    let made = if model.function.flow.is_async() {
        quote!(#errand::future(async move { #call.await }))
    } else {
        quote!(#errand::job(move || #call))
    };
    Some(quote!(#this #(#own)* #made))
}

/// What takes the function's place where there is no more time, and what of the arguments it is given:
/// that is laid aside before the body may take them.
pub(crate) fn fallback(model: &Model) -> Option<(TokenStream, TokenStream)> {
    let path = model.fallback.as_ref()?;
    let place = Place::of(path);
    let spare = model.paths.spare();
    let names: Vec<_> = names_as_they_are(model).collect();
    let receiver = model.function.signature.receiver().map(|it| &it.self_token);
    let own = receiver.map(ToTokens::to_token_stream).into_iter();
    let own = own.chain(names.iter().map(ToTokens::to_token_stream));
    let kept: Vec<_> =
        (0..own.clone().count()).map(|at| format_ident!("__larder_spare{at}")).collect();
    let lay = quote!(#(let #kept = #spare(&#own);)*);
    let given = brackets(place.last, quote!(#(#kept),*));
    Some((lay, quote!(move || #path #given)))
}
