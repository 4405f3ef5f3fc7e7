//! What a signature leaves out of the types of its arguments and a type in a bound may not: the
//! names of lifetimes, and that what is referenced outlives the reference.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, GenericParam, Generics, Lifetime, ParenthesizedGenericArguments,
    PathArguments, PathSegment, Type, TypeFnPtr, TypeImplTrait, TypeReference, WherePredicate,
    parse_quote,
};

/// Spells out what is left out of types, and declares it.
pub(crate) fn spell_out(kinds: &mut [Type], generics: &mut Generics) {
    let lifetime = Lifetime::new("'__larder", Span::call_site());
    let mut names = Names { lifetime, found: false, outlives: Vec::new() };
    for kind in kinds {
        names.visit_type_mut(kind);
    }
    if names.found {
        let lifetime = names.lifetime;
        generics.params.insert(0, parse_quote!(#lifetime));
    }
    if !names.outlives.is_empty() {
        generics.make_where_clause().predicates.extend(names.outlives);
    }
}

struct Names {
    lifetime: Lifetime,
    found: bool,
    outlives: Vec<WherePredicate>,
}

impl Names {
    fn name(&mut self) -> Lifetime {
        self.found = true;
        self.lifetime.clone()
    }
}

impl VisitMut for Names {
    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        visit_mut::visit_type_reference_mut(self, reference);
        let lifetime = reference.lifetime.get_or_insert_with(|| {
            self.found = true;
            self.lifetime.clone()
        });
        let referenced = &mut reference.elem;
        match &mut **referenced {
            Type::ImplTrait(kind) => {
                kind.bounds.push(parse_quote!(#lifetime));
                **referenced = parse_quote!((#kind));
            }
            kind if !is_unnamed(kind) => self.outlives.push(parse_quote!(#kind: #lifetime)),
            _ => {}
        }
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.name();
        }
    }

    /// `Cow<str>` hides a lifetime; of other types nobody can tell.
    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
            && segment.ident == "Cow"
            && arguments.args.len() == 1
        {
            let lifetime = self.name();
            arguments.args.insert(0, GenericArgument::Lifetime(lifetime));
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }

    // What functions take is theirs.
    fn visit_type_fn_ptr_mut(&mut self, _: &mut TypeFnPtr) {}

    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {
    }
}

/// Takes away the lifetimes that nothing is said of: those that a pointer to the function has of its
/// own, and that a caller can't give.
pub(crate) fn split_off_unbounded(generics: &mut Generics) -> Vec<Lifetime> {
    let mut bounded = Mentioned::default();
    for parameter in &generics.params {
        match parameter {
            GenericParam::Lifetime(it) if it.bounds.is_empty() => {}
            it => bounded.visit_generic_param(it),
        }
    }
    generics.where_clause.iter().for_each(|it| bounded.visit_where_clause(it));
    let is_unbounded = |parameter: &GenericParam| match parameter {
        GenericParam::Lifetime(it) if !bounded.0.contains(&it.lifetime) => {
            Some(it.lifetime.clone())
        }
        _ => None,
    };
    let unbounded = generics.params.iter().filter_map(is_unbounded).collect();
    let bounded = generics.params.iter().filter(|it| is_unbounded(it).is_none());
    generics.params = bounded.cloned().collect();
    unbounded
}

#[derive(Default)]
struct Mentioned(Vec<Lifetime>);

impl<'ast> Visit<'ast> for Mentioned {
    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        self.0.push(lifetime.clone());
    }
}

/// Whether a type has a part that no bound can name.
pub(crate) fn is_unnamed(kind: &Type) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled_out(kind: &str) -> String {
        let mut kinds = [syn::parse_str(kind).expect(kind)];
        let mut generics = Generics::default();
        spell_out(&mut kinds, &mut generics);
        let ([kind], bounds) = (kinds, &generics.where_clause);
        quote::quote!(#generics #kind #bounds).to_string().replace(' ', "")
    }

    #[test]
    fn every_lifetime_that_is_left_out_is_named() {
        assert_eq!(spelled_out("Cow<'_, str>"), "<'__larder>Cow<'__larder,str>");
        assert_eq!(spelled_out("Cow<str>"), "<'__larder>Cow<'__larder,str>");
        assert_eq!(spelled_out("(u8, fn(&u8))"), "(u8,fn(&u8))");
        assert_eq!(spelled_out("Box<dyn Fn(&u8) -> &u8>"), "Box<dynFn(&u8)->&u8>");
    }

    #[test]
    fn lifetimes_with_a_bound_stay() {
        let mut generics = syn::parse_str("<'a, 'b, 'c: 'd, 'd, 'e, T: Tr<'e>>").expect("generics");
        let unbounded: Vec<_> =
            split_off_unbounded(&mut generics).iter().map(ToString::to_string).collect();
        assert_eq!(unbounded, ["'a", "'b"]);
        let rest = quote::quote!(#generics).to_string().replace(' ', "");
        assert_eq!(rest, "<'c:'d,'d,'e,T:Tr<'e>>");
    }

    #[test]
    fn what_is_referenced_outlives_the_reference() {
        assert_eq!(spelled_out("&T"), "<'__larder>&'__larderTwhereT:'__larder");
        assert_eq!(spelled_out("&'a [&'b u8]"), "&'a[&'bu8]whereu8:'b,[&'bu8]:'a");
        assert_eq!(spelled_out("&'a impl Tr"), "&'a(implTr+'a)");
    }
}
