//! Borrows in types, as far as they are written out.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::visit::Visit;
use syn::{
    BoundLifetimes, GenericArgument, GenericParam, Lifetime, ParenthesizedGenericArguments,
    PathArguments, PathSegment, TraitBound, Type, TypeFnPtr, TypeReference,
};

/// The first borrow in a type that is not for good.
pub(crate) fn find(kind: &Type) -> Option<TokenStream> {
    let mut borrows = Borrows::default();
    borrows.visit_type(kind);
    borrows.found
}

/// A borrow in a place where no owned form can be asked for: `&T`, `Cow<'_, T>`, `Option<&T>` and
/// tuples of those have one.
pub(crate) fn beyond_owning(kind: &Type) -> Option<TokenStream> {
    match kind {
        Type::Reference(reference) => find(&reference.elem),
        Type::Paren(paren) => beyond_owning(&paren.elem),
        Type::Group(group) => beyond_owning(&group.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(beyond_owning),
        Type::Path(path) => match owned_by_type(path.path.segments.last()?) {
            Some(inner) => find(inner),
            None => find(kind),
        },
        other => find(other),
    }
}

/// What is behind the borrow of a `Cow<'_, T>` or an `Option<&T>`.
fn owned_by_type(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    match (arguments.args.last()?, segment.ident.to_string().as_str()) {
        (GenericArgument::Type(Type::Reference(reference)), "Option") => Some(&reference.elem),
        (GenericArgument::Type(kind), "Cow") => Some(kind),
        _ => None,
    }
}

/// Whether a reference is for as long as the program runs.
pub(crate) fn is_for_good(reference: &TypeReference) -> bool {
    reference.lifetime.as_ref().is_some_and(|it| it.ident == "static")
}

#[derive(Default)]
struct Borrows {
    found: Option<TokenStream>,
    /// Lifetimes that belong to a bound, `for<'a>`.
    bound: Vec<Ident>,
}

impl Borrows {
    fn look(&mut self, at: &impl ToTokens, lifetime: Option<&Lifetime>) {
        let own = lifetime.is_some_and(|it| it.ident == "static" || self.bound.contains(&it.ident));
        if !own && self.found.is_none() {
            self.found = Some(at.to_token_stream());
        }
    }
}

impl<'ast> Visit<'ast> for Borrows {
    fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
        self.look(reference, reference.lifetime.as_ref());
        self.visit_type(&reference.elem);
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        self.look(lifetime, Some(lifetime));
    }

    fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
        let outer = self.bound.len();
        if let Some(BoundLifetimes { lifetimes, .. }) = &bound.lifetimes {
            self.bound.extend(lifetimes.iter().filter_map(|it| match it {
                GenericParam::Lifetime(it) => Some(it.lifetime.ident.clone()),
                _ => None,
            }));
        }
        self.visit_path(&bound.path);
        self.bound.truncate(outer);
    }

    // What functions take and return is theirs.
    fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
}

#[cfg(test)]
mod tests {
    use super::{beyond_owning, find};

    fn found(kind: &str) -> Option<String> {
        find(&syn::parse_str(kind).expect(kind)).map(|tokens| tokens.to_string())
    }

    #[test]
    fn a_borrow_is_found_wherever_it_is_written() {
        assert_eq!(found("&str").as_deref(), Some("& str"));
        assert_eq!(found("Vec<&'a u8>").as_deref(), Some("& 'a u8"));
        assert_eq!(found("Cow<'_, str>").as_deref(), Some("'_"));
        assert_eq!(found("Box<dyn Tr + 'a>").as_deref(), Some("'a"));
        assert_eq!(found("&'static &u8").as_deref(), Some("& u8"));
    }

    #[test]
    fn what_outlives_every_call_is_none() {
        let kinds = [
            "Arc<str>",
            "&'static str",
            "Cow<'static, str>",
            "fn(&u8) -> &u8",
            "Arc<dyn Fn(&u8) -> &u8 + Send + 'static>",
            "Arc<dyn for<'a> Tr<'a, &'a u8>>",
        ];
        for kind in kinds {
            assert_eq!(found(kind), None, "{kind}");
        }
    }

    #[test]
    fn only_borrows_that_have_an_owned_form_can_be_part_of_a_key() {
        let beyond = |kind: &str| beyond_owning(&syn::parse_str(kind).expect(kind)).is_some();
        for kind in ["&str", "Option<&[u8]>", "(u8, (&str, Cow<'_, str>))", "Arc<str>"] {
            assert!(!beyond(kind), "{kind}");
        }
        for kind in
            ["&[&u8]", "&&str", "Vec<&str>", "Option<&&u8>", "(u8, Ref<'_, u8>)", "&Ref<'_>"]
        {
            assert!(beyond(kind), "{kind}");
        }
    }
}
