//! Whether function and options go together; if so, the model of both.

use super::ast::{Flow, Function};
use super::key;
use super::model::{Handle, Judge, Model, Site};
use super::parse::{self, Options, Scope};
use crate::diagnostics::Errors;
use crate::paths::Paths;
use crate::template::Template;
use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{FnArg, Lifetime, ReceiverKind, Safety, Type, TypeFnPtr, TypeImplTrait, TypeReference};

/// Builds the model, or reports all that stands against it.
pub(crate) fn model(function: Function, options: Options, errors: &mut Errors) -> Option<Model> {
    let cacheable = check_signature(&function, errors);
    let tags = options.tags.map(|tags| tags.value).unwrap_or_default();
    for tag in &tags {
        check_template(&function, tag, "tag", errors);
    }
    if let Some(given) = &options.key
        && let parse::Key::Readable(template) = &given.value
    {
        check_template(&function, template, "key", errors);
    }
    if let (Some(weigh), None) = (&options.weigh, &options.capacity) {
        errors.add(&weigh.name, "`weigh` needs `capacity`; say how much weight may be kept");
    }
    let handle = handle(&function, options.handle.map(|handle| handle.value), errors);
    let key = key::key(&function, options.key, options.skip, errors);
    let scope = options.scope.map_or(Scope::Global, |scope| scope.value);
    let (true, Some(handle), Some(key)) = (cacheable, handle, key) else { return None };
    Some(Model {
        paths: Paths::new(options.root.as_ref().map(|root| &root.value)),
        out: function.out(),
        function,
        site: Site {
            name: options.called.map(|name| name.value),
            version: options.version.map_or(0, |version| version.value),
            ttl: options.ttl.map(|ttl| ttl.value),
            negative: options.negative.map(|negative| negative.value),
            wait: options.wait.map(|wait| wait.value),
            capacity: options.capacity.map(|capacity| capacity.value),
            context: options.context.is_some(),
            scope,
        },
        key,
        tags,
        when: options.when.map(|when| when.value),
        runtime: options.runtime.map(|runtime| runtime.value),
        judge: Judge {
            weigh: options.weigh.map(|weigh| weigh.value),
            ttl_for: options.ttl_for.map(|path| path.value),
            cache_if: options.cache_if.map(|path| path.value),
            tags_for: options.tags_for.map(|path| path.value),
        },
        handle,
    })
}

fn check_signature(function: &Function, errors: &mut Errors) -> bool {
    let signature = &function.signature;
    let mut found = Errors::default();
    if let Some(constness) = &signature.constness {
        found.add(constness, "a `const fn` can't be cached; take `const` away");
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        found.add(
            unsafety,
            "an `unsafe fn` can't be cached: a hit would skip what makes it unsafe; \
             cache a safe function around it",
        );
    }
    if let Some(abi) = &signature.abi {
        found.add(abi, "an `extern fn` can't be cached; cache a function that calls it");
    }
    for input in &signature.inputs {
        check_argument(input, &mut found);
    }
    if !matches!(function.flow, Flow::Boxed { .. }) {
        check_returned(&function.out(), &mut found);
    }
    match found.into_result() {
        Ok(()) => true,
        Err(error) => {
            errors.combine(error);
            false
        }
    }
}

fn check_argument(input: &FnArg, errors: &mut Errors) {
    let message = "a hit would not do to this what the body does; \
         take a shared reference, or return what changes";
    match input {
        FnArg::Receiver(receiver) => {
            if let ReceiverKind::Reference(_, _, Some(_)) = &receiver.kind {
                errors.add(receiver, format!("`&mut self` can't be cached: {message}"));
            }
        }
        FnArg::Typed(argument) => {
            if let Type::Reference(TypeReference { mutability: Some(_), .. }) = &*argument.ty {
                errors.add(&argument.ty, format!("a `&mut` argument can't be cached: {message}"));
            }
        }
    }
}

const BORROWED: &str = "a cached function can't return a borrow: the cache keeps the value longer \
     than the call; return an owned value, or an `Arc`";

/// Finds what a cached value can't be: borrowed, or of a type without a name.
fn check_returned(out: &Type, errors: &mut Errors) {
    struct Returned<'a>(&'a mut Errors);
    impl<'ast> Visit<'ast> for Returned<'_> {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
                self.0.add(reference, BORROWED);
            } else {
                self.visit_type(&reference.elem);
            }
        }

        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if lifetime.ident != "static" {
                self.0.add(lifetime, BORROWED);
            }
        }

        fn visit_type_impl_trait(&mut self, kind: &'ast TypeImplTrait) {
            self.0.add(
                kind,
                "a cached function can't return `impl Trait`: the cache has to name \
                 the type; write it out, or box it behind an `Arc`",
            );
        }

        // The lifetimes in there are the pointer's own.
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    }
    Returned(errors).visit_type(out);
}

fn check_template(function: &Function, template: &Template, what: &str, errors: &mut Errors) {
    for value in template.values() {
        let exists =
            if value.root == "self" { function.has_receiver() } else { function.has(&value.root) };
        if !exists {
            errors.add(
                &template.literal,
                format!(
                    "{what} `{}` names no argument `{}`; {}",
                    template.text,
                    value.root,
                    key::choice(function)
                ),
            );
        }
    }
}

/// Where the companion goes. Without a word on it, beside a free function; a method gets none.
fn handle(function: &Function, named: Option<Ident>, errors: &mut Errors) -> Option<Handle> {
    let own = &function.signature.ident;
    let Some(named) = named else {
        if function.has_receiver() || function.defaultness.is_some() {
            return Some(Handle::None);
        }
        if mentions_self_type(function) {
            errors.add(
                own,
                format!(
                    "an associated function has to say where its companion goes; \
                 write `handle = {own}_entry` for a method of that name, or `handle = none`"
                ),
            );
            return None;
        }
        return Some(Handle::Type(own.clone()));
    };
    let text = named.unraw().to_string();
    if text == "none" {
        Some(Handle::None)
    } else if text.starts_with(char::is_uppercase) {
        if function.has_receiver() {
            errors.add(
                &named,
                format!(
                    "a type can't be declared beside a method; \
                 write `handle = {own}_entry` for a method of that name, or `handle = none`"
                ),
            );
            return None;
        }
        Some(Handle::Type(named))
    } else if named == *own {
        errors.add(
            &named,
            "the companion can't have the function's own name; leave `handle` out, \
             or give another name",
        );
        None
    } else {
        Some(Handle::Method(named))
    }
}

fn mentions_self_type(function: &Function) -> bool {
    struct Finds(bool);
    impl<'ast> Visit<'ast> for Finds {
        fn visit_ident(&mut self, ident: &'ast Ident) {
            self.0 |= ident == "Self";
        }
    }
    let mut finds = Finds(false);
    finds.visit_signature(&function.signature);
    finds.0
}
