//! The arguments of a companion's operations: some of the function's own, or all of them.

use super::mention;
use super::model::Model;
use crate::function::Argument;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Pat, PatIdent};

pub(crate) struct Inputs<'a> {
    model: &'a Model,
    arguments: Vec<(usize, &'a Argument)>,
}

impl<'a> Inputs<'a> {
    /// Those that the key is made of, and those that the runtime is found by.
    pub(crate) fn of_key(model: &'a Model) -> Self {
        let for_runtime = mention::arguments(&model.function, &model.runtime);
        Self::of(model, |at| model.key.arguments.contains(&at) || for_runtime.contains(&at))
    }

    /// Those that the condition mentions, too.
    pub(crate) fn of_condition(model: &'a Model) -> Self {
        let named = [&model.runtime, &model.when];
        let named = mention::arguments(&model.function, named.into_iter().flatten());
        Self::of(model, |at| model.key.arguments.contains(&at) || named.contains(&at))
    }

    /// Those that the runtime is found by.
    pub(crate) fn of_runtime(model: &'a Model) -> Self {
        let for_runtime = mention::arguments(&model.function, &model.runtime);
        Self::of(model, |at| for_runtime.contains(&at))
    }

    /// All.
    pub(crate) fn of_call(model: &'a Model) -> Self {
        Self::of(model, |_| true)
    }

    /// All as the function is written.
    pub(crate) fn of_written(model: &'a Model) -> Self {
        Self { model, arguments: model.written().arguments.iter().enumerate().collect() }
    }

    fn of(model: &'a Model, wanted: impl Fn(usize) -> bool) -> Self {
        let arguments = model.function.arguments.iter().enumerate();
        Self { model, arguments: arguments.filter(|(at, _)| wanted(*at)).collect() }
    }

    /// With the patterns of the function, for code that uses what they bind.
    pub(crate) fn as_written(&self) -> Vec<TokenStream> {
        let arguments = self.arguments.iter().map(|(_, argument)| {
            let (pattern, kind) = (immutable(&argument.written.pat), argument.kind());
            quote!(#pattern: #kind)
        });
        arguments.collect()
    }

    /// The same with another declaration in one place.
    pub(crate) fn as_written_but(&self, place: usize, other: &TokenStream) -> Vec<TokenStream> {
        let written = self.as_written();
        let each = self.arguments.iter().zip(written);
        each.map(|((at, _), own)| if *at == place { other.clone() } else { own }).collect()
    }

    /// With a name for each, for code that passes them on.
    pub(crate) fn declared(&self) -> Vec<TokenStream> {
        let kinds = self.arguments.iter().map(|(_, argument)| argument.kind());
        self.names().iter().zip(kinds).map(|(name, kind)| quote!(#name: #kind)).collect()
    }

    /// The names of [`declared`](Self::declared): the function's own where there is one that is not
    /// that of the function.
    pub(crate) fn names(&self) -> Vec<Ident> {
        let function = &self.model.function.signature.ident;
        let arguments = self.arguments.iter().map(|(at, argument)| match &argument.names[..] {
            [name] if argument.plain && !mention::same(name, function) => name.clone(),
            _ => format_ident!("__larder_{at}"),
        });
        arguments.collect()
    }
}

/// A pattern without `mut`: nothing of the key is changed.
fn immutable(pattern: &Pat) -> Pat {
    struct Immutable;
    impl VisitMut for Immutable {
        fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
            pattern.mutability = None;
            visit_mut::visit_pat_ident_mut(self, pattern);
        }
    }
    let mut pattern = pattern.clone();
    Immutable.visit_pat_mut(&mut pattern);
    pattern
}
