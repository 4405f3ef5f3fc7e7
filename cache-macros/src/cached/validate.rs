//! Whether function and options go together; if so, the model of both.

use super::model::{Handle, Judge, Model, Site, Version};
use super::parse::{self, Options, Scope};
use super::tier::Tier;
use super::{batch, files, freshness, handle, key, outlive, signature, stored};
use crate::diagnostics::Errors;
use crate::fingerprint;
use crate::function::Function;
use crate::paths::Paths;
use crate::placeholder;
use proc_macro2::{Ident, TokenStream};

/// Builds the model of what is written, or reports all that stands against it.
pub(crate) fn model(
    mut function: Function,
    item: &TokenStream,
    mut options: Options,
    written: TokenStream,
    errors: &mut Errors,
) -> Option<Model> {
    let cacheable = signature::check(&function, errors);
    let mut batch = None;
    if let Some(ids) = &options.batch {
        let one = syn::parse2(item.clone()).expect("it was read before");
        let found;
        (function, found) = batch::batch(function, one, &ids.value, errors)?;
        batch = Some(found);
    }
    for tag in options.tags.iter().flat_map(|tags| &tags.value) {
        placeholder::check(&function, tag, "tag", errors);
    }
    if let (Some(weigh), None) = (&options.weigh, &options.capacity)
        && !options.is_faulty("capacity")
    {
        errors.add(&weigh.name, "`weigh` needs `capacity`; say how much weight may be kept");
    }
    let site = site(&mut options, written, errors);
    let handle_known = !options.is_faulty("handle");
    let key_known = !options.is_faulty("key") && !options.is_faulty("skip");
    let named = options.handle.take().map(|handle| handle.value);
    let handle = handle_known.then(|| handle::handle(&function, named, errors)).flatten();
    let (key, skip) = (options.key.take(), options.skip.as_ref());
    let key = key_known.then(|| key::key(&function, key, skip, errors)).flatten();
    let (true, Some(handle), Some(key)) = (cacheable, handle, key) else { return None };
    let asks = [
        &options.refresh.as_ref().map(|it| &it.name),
        &options.timeout.as_ref().map(|it| &it.name),
    ];
    let deadline = options.deadline.as_ref().map(|it| &it.name);
    let deadline = deadline.filter(|_| !function.flow.is_async());
    let asks = asks.into_iter().copied().chain([deadline]).flatten().next();
    let outlive = match asks {
        Some(option) => Some(match &batch {
            Some(batch) => {
                if !batch::check_outlived(batch, option, errors) {
                    return None;
                }
                outlive::outlive_but(&batch.function, batch.place, &handle, option, errors)?
            }
            None => outlive::outlive(&function, &handle, option, errors)?,
        }),
        None => None,
    };
    if let Some(fallback) = &options.fallback {
        spared(&function, &fallback.name, errors);
    }
    if let Some(warm) = &options.warm {
        warmable(&function, &handle, &warm.name, errors);
    }
    let files = options.files.map(|files| files::named(&function, files, &key, errors));
    Some(Model {
        paths: Paths::new(options.root.as_ref().map(|root| &root.value)),
        out: batch.as_ref().map_or(&function, |batch| &batch.function).out(),
        function,
        site,
        key,
        tags: options.tags.map(|tags| tags.value).unwrap_or_default(),
        files: files.unwrap_or_default(),
        when: options.when.map(|when| when.value),
        runtime: options.runtime.map(|runtime| runtime.value),
        judge: Judge {
            weigh: options.weigh.map(|weigh| weigh.value),
            ttl_for: options.ttl_for.map(|path| path.value),
            cache_if: options.cache_if.map(|path| path.value),
            tags_for: options.tags_for.map(|path| path.value),
        },
        warm: options.warm.map(|path| path.value),
        fallback: options.fallback.map(|path| path.value),
        outlive,
        batch,
        handle,
    })
}

/// Reports functions that can't be warmed by themselves.
fn warmable(function: &Function, handle: &Handle, option: &Ident, errors: &mut Errors) {
    let is_generic = !function.signature.generics.params.is_empty();
    if is_generic || !matches!(handle, Handle::Type(_)) {
        let message = "`warm` is for free functions without type parameters, which have a companion: \
                       nothing else says which calls are meant; call it with what it needs as the \
                       program starts";
        errors.add(option, message);
    }
}

/// Reports arguments that can't be handed to what takes the function's place.
fn spared(function: &Function, option: &Ident, errors: &mut Errors) {
    for argument in function.arguments.iter().filter(|argument| !argument.plain) {
        let message = format!(
            "`{option}` is called with the same arguments, so each needs a name of its own; \
             take this apart in the body"
        );
        errors.add(&argument.written.pat, message);
    }
}

/// What is said of the function as a whole.
fn site(options: &mut Options, written: TokenStream, errors: &mut Errors) -> Site {
    let tiers = options.tiers.take().map(|tiers| tiers.value);
    let mut stored = None;
    let reached = tiers.as_deref().unwrap_or(&[Tier::L1]);
    let freshness = freshness::freshness(options, reached, errors);
    if !options.is_faulty("tier") {
        options.ttl.iter().for_each(|ttl| ttl.value.check(reached, errors));
        stored = stored::stored(options, reached, errors);
    }
    Site {
        name: options.called.take().map(|name| name.value),
        version: options.version.take().map(|version| match version.value {
            parse::Version::Number(number) => Version::Number(number),
            parse::Version::Auto => Version::Tokens(fingerprint::of_code(written)),
        }),
        tiers,
        ttl: options.ttl.take().and_then(|ttl| ttl.value.of(Tier::L1)),
        stored,
        freshness,
        negative: options.negative.take().map(|negative| negative.value),
        wait: options.wait.take().map(|wait| wait.value),
        capacity: options.capacity.take().map(|capacity| capacity.value),
        context: options.context.is_some(),
        scope: options.scope.take().map_or(Scope::Global, |scope| scope.value),
    }
}
