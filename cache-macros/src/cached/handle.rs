//! Where the companion goes.

use super::model::Handle;
use crate::diagnostics::Errors;
use crate::function::Function;
use proc_macro2::Ident;
use syn::ext::IdentExt;

/// Finds the place, or reports why there is none. Without a word on it, that is beside a free
/// function; a method gets none.
pub(crate) fn handle(
    function: &Function,
    named: Option<Ident>,
    errors: &mut Errors,
) -> Option<Handle> {
    let own = &function.signature.ident;
    let way_out = format!(
        "write `handle = {}_entry` for a method of that name, or `handle = none`",
        own.unraw()
    );
    let Some(named) = named else {
        if function.has_receiver() || function.defaultness.is_some() {
            return Some(Handle::None);
        }
        if function.is_associated() {
            let message = "an associated function has to say where its companion goes";
            errors.add(own, format!("{message}; {way_out}"));
            return None;
        }
        return Some(Handle::Type(own.clone()));
    };
    if named == "none" {
        return Some(Handle::None);
    }
    if named.unraw() == own.unraw() {
        errors.add(
            &named,
            "the companion can't have the function's own name here; \
             leave `handle` out, or give another name",
        );
        return None;
    }
    if !named.unraw().to_string().starts_with(char::is_uppercase) {
        return Some(Handle::Method(named));
    }
    if function.is_associated() {
        errors.add(&named, format!("a type can't be declared beside a method; {way_out}"));
        return None;
    }
    Some(Handle::Type(named))
}
