//! `#[invalidates]`: what a function changes is forgotten once it has succeeded.

mod generate;
mod options;

use self::options::Options;
use crate::diagnostics::Errors;
use crate::function::Function;
use crate::placeholder;
use proc_macro2::TokenStream;
use quote::quote;
use syn::Type;
use syn::visit::Visit;

pub(crate) fn expand(options: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::read(options, &mut errors);
    if let Some(function) = errors.take(syn::parse2::<Function>(item.clone())) {
        check(&function, &options, &mut errors);
        if errors.is_empty() {
            return generate::expansion(&function, &options);
        }
    }
    let faults = errors.into_compile_error();
    quote!(#faults #item)
}

fn check(function: &Function, options: &Options, errors: &mut Errors) {
    for tag in &options.tags {
        placeholder::check(function, tag, "tag", errors);
    }
    if let Some(constness) = &function.signature.constness {
        errors.add(constness, "a `const fn` can't invalidate anything; take `const` away");
    }
    let mut opaque = Opaque(false);
    opaque.visit_type(&function.out());
    if opaque.0 {
        errors.add(
            &function.signature.output,
            "whether an `impl Trait` is a success can't be told; name the type that is returned",
        );
    }
}

/// Whether a type has a part that has no name.
struct Opaque(bool);

impl<'ast> Visit<'ast> for Opaque {
    fn visit_type(&mut self, kind: &'ast Type) {
        self.0 |= matches!(kind, Type::ImplTrait(_));
        syn::visit::visit_type(self, kind);
    }
}
