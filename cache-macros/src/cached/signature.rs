//! What a signature may not have, and why.

use super::borrow;
use crate::diagnostics::Errors;
use crate::function::Function;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    FnArg, Meta, ParenthesizedGenericArguments, ReceiverKind, Safety, Token, Type, TypeFnPtr,
    TypeImplTrait, TypeReference,
};

/// Reports all that stands against caching a function. True if there is nothing.
pub(crate) fn check(function: &Function, errors: &mut Errors) -> bool {
    let mut found = Errors::default();
    check_qualifiers(function, &mut found);
    for input in &function.signature.inputs {
        check_argument(input, &mut found);
        check_condition(input, &mut found);
    }
    check_returned(&function.out(), &mut found);
    let twice = function.attributes.iter().find(|attribute| attribute.path().is_ident("cached"));
    if let Some(twice) = twice {
        found.add(twice, "`#[cached]` is there twice; leave one of them out");
    }
    errors.take(found.instead_of(())).is_some()
}

fn check_qualifiers(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    if let Some(constness) = &signature.constness {
        errors.add(constness, "a `const fn` can't be cached; take `const` away");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        errors.add(
            unsafety,
            "an `unsafe fn` can't be cached: a hit would skip what makes it unsafe; \
             cache a safe function around it",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.add(abi, "an `extern fn` can't be cached; cache a function that calls it");
    }
}

fn check_argument(input: &FnArg, errors: &mut Errors) {
    let (kind, what) = match input {
        FnArg::Typed(argument) => (&*argument.ty, "a `&mut` argument"),
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, _, Some(_)) => {
                return errors.add(receiver, format!("`&mut self` {MUTABLE}"));
            }
            ReceiverKind::Typed(_, kind) => (&**kind, "`&mut self`"),
            _ => return,
        },
    };
    Mutable { errors, what }.visit_type(kind);
}

/// Reports what may take an argument away: the key and the companion would have it all the same.
fn check_condition(input: &FnArg, errors: &mut Errors) {
    let FnArg::Typed(argument) = input else { return };
    for attribute in argument.attrs.iter().filter(|attribute| is_condition(&attribute.meta)) {
        errors.add(
            attribute,
            "`#[cfg]` on an argument can't be cached: the key can't come and go with it; \
             write a function for each case, with `#[cfg]` on the function",
        );
    }
}

fn is_condition(meta: &Meta) -> bool {
    let Meta::List(list) = meta else { return false };
    let parts = || list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    list.path.is_ident("cfg")
        || (list.path.is_ident("cfg_attr")
            && parts().is_ok_and(|parts| parts.iter().skip(1).any(is_condition)))
}

const MUTABLE: &str = "can't be cached: a hit would not do to this what the body does; \
     take a shared reference, or return what changes";

/// Finds what a body could change behind the caller's back.
struct Mutable<'a> {
    errors: &'a mut Errors,
    what: &'static str,
}

impl<'ast> Visit<'ast> for Mutable<'_> {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        if reference.mutability.is_some() {
            self.errors.add(reference, format!("{} {MUTABLE}", self.what));
        } else {
            visit::visit_type_reference(self, reference);
        }
    }

    // What functions take is theirs.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

fn check_returned(out: &Type, errors: &mut Errors) {
    struct Unnamed<'a>(&'a mut Errors);
    impl<'ast> Visit<'ast> for Unnamed<'_> {
        fn visit_type_impl_trait(&mut self, kind: &'ast TypeImplTrait) {
            self.0.add(
                kind,
                "a cached function can't return `impl Trait`: the cache has to name the type; \
                 write it out, or box it behind an `Arc`",
            );
        }
    }
    if let Type::Never(never) = out {
        errors.add(never, "a function that never returns has nothing to cache");
    }
    if let Some(borrow) = borrow::find(out) {
        errors.add(
            borrow,
            "a cached function can't return a borrow: the cache keeps the value longer than the \
             call; return an owned value, or an `Arc`",
        );
    }
    Unnamed(errors).visit_type(out);
}
