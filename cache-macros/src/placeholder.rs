//! The placeholders of a template: each names an argument, or `self`.

use crate::diagnostics::{Errors, listed};
use crate::function::Function;
use crate::template::Template;
use syn::ext::IdentExt;

/// Reports placeholders that name no argument. True if there are none.
pub(crate) fn check(
    function: &Function,
    template: &Template,
    what: &str,
    errors: &mut Errors,
) -> bool {
    let mut sound = true;
    for root in template.values().map(|value| value.root.as_str()) {
        let exists = if root == "self" { function.has_receiver() } else { function.has(root) };
        if !exists {
            sound = false;
            let text = &template.text;
            let choice = choice(function);
            errors.add(
                &template.literal,
                format!("{what} `{text}` names no argument `{root}`; {choice}"),
            );
        }
    }
    sound
}

/// "arguments are .." for a message.
pub(crate) fn choice(function: &Function) -> String {
    let receiver = function.has_receiver().then(|| "self".to_owned());
    let names: Vec<_> =
        receiver.into_iter().chain(function.names().map(|name| name.unraw().to_string())).collect();
    if names.is_empty() {
        "there are no arguments".to_owned()
    } else {
        format!("arguments are {}", listed(names.iter().map(String::as_str)))
    }
}
