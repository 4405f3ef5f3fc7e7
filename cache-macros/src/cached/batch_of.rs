//! A function of one id, whose entries are those of a function of many.
//!
//! What is said of the entries is said there; this brings a body for one id, and says which of its
//! arguments are not for the key.

use super::parse::Options;
use crate::diagnostics::Errors;
use crate::flow::Flow;
use crate::function::Function;
use crate::paths::Paths;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ExprPath;
use syn::ext::IdentExt;

/// What may be said beside it.
const OWN: [&str; 3] = ["batch_of", "skip", "crate"];

/// The function, as calls for one id of a batch.
pub(crate) fn expansion(
    function: &Function,
    of_many: &ExprPath,
    options: &Options,
    errors: &mut Errors,
) -> TokenStream {
    check(function, options, errors);
    let skipped = options.skip.as_ref().map(|skip| &skip.value[..]).unwrap_or_default();
    let paths = Paths::new(options.root.as_ref().map(|root| &root.value));
    let spare = paths.spare();
    let is_given =
        |name: &&proc_macro2::Ident| !skipped.iter().any(|it| it.unraw() == name.unraw());
    let given = function.arguments.iter().flat_map(|it| &it.names).filter(is_given);
    let given = given.map(|name| quote!(#spare(&#name)));
    let (attributes, visibility) = (&function.attributes, &function.visibility);
    let (signature, out, body) = (&function.signature, function.out(), &function.body);
    let call = if function.flow.is_async() {
        let body = body.stream();
        quote! {
            #of_many::__larder_one(#(#given,)* move || async move {
                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                if let ::core::option::Option::Some(__larder_out) =
                    ::core::option::Option::None::<#out>
                {
                    return __larder_out;
                }
                #body
            })
            .await
        }
    } else {
        quote!(#of_many::__larder_one(#(#given,)* || -> #out #body))
    };
    quote!(#(#attributes)* #visibility #signature { #call })
}

fn check(function: &Function, options: &Options, errors: &mut Errors) {
    for name in options.given.iter().filter(|name| !OWN.contains(&&*name.unraw().to_string())) {
        let message = format!(
            "`{name}` is said of the function that `batch_of` names: the entries are its own"
        );
        errors.add(name, message);
    }
    for argument in function.arguments.iter().filter(|argument| !argument.plain) {
        let message =
            "with `batch_of`, every argument needs a name of its own; take this apart in the body";
        errors.add(&argument.written.pat, message);
    }
    if function.has_receiver() || matches!(function.flow, Flow::Boxed { .. }) {
        let message = "`batch_of` is for free functions; a method can call one";
        errors.add(&function.signature.ident, message);
    }
}
