//! Whether function and options go together; if so, the model of both.

use super::ast::Function;
use super::model::{Judge, Model, Site};
use super::parse::{Options, Scope};
use super::{handle, key, placeholder, signature};
use crate::diagnostics::Errors;
use crate::paths::Paths;

/// Builds the model, or reports all that stands against it.
pub(crate) fn model(function: Function, options: Options, errors: &mut Errors) -> Option<Model> {
    let cacheable = signature::check(&function, errors);
    for tag in options.tags.iter().flat_map(|tags| &tags.value) {
        placeholder::check(&function, tag, "tag", errors);
    }
    if let (Some(weigh), None) = (&options.weigh, &options.capacity)
        && !options.is_faulty("capacity")
    {
        errors.add(&weigh.name, "`weigh` needs `capacity`; say how much weight may be kept");
    }
    let handle_known = !options.is_faulty("handle");
    let key_known = !options.is_faulty("key") && !options.is_faulty("skip");
    let named = options.handle.map(|handle| handle.value);
    let handle = handle_known.then(|| handle::handle(&function, named, errors)).flatten();
    let (key, skip) = (options.key, options.skip.as_ref());
    let key = key_known.then(|| key::key(&function, key, skip, errors)).flatten();
    let (true, Some(handle), Some(key)) = (cacheable, handle, key) else { return None };
    Some(Model {
        paths: Paths::new(options.root.as_ref().map(|root| &root.value)),
        out: function.out(),
        function,
        site: Site {
            name: options.called.map(|name| name.value),
            version: options.version.map_or(0, |version| version.value),
            tiers: options.tiers.map(|tiers| tiers.value),
            ttl: options.ttl.map(|ttl| ttl.value),
            negative: options.negative.map(|negative| negative.value),
            wait: options.wait.map(|wait| wait.value),
            capacity: options.capacity.map(|capacity| capacity.value),
            context: options.context.is_some(),
            scope: options.scope.map_or(Scope::Global, |scope| scope.value),
        },
        key,
        tags: options.tags.map(|tags| tags.value).unwrap_or_default(),
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
