//! Which arguments name files that an entry depends on.

use super::mention::mentions;
use super::model::Key;
use super::parse::Given;
use crate::diagnostics::{Errors, listed, needs_feature};
use crate::function::{Argument, Function};
use crate::options::{Value, Written};
use crate::placeholder::choice;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Expr, GenericArgument, PathArguments, PathSegment, Type, parse_quote};

/// Arguments that are taken for names of files, of whatever type they are.
const NAMES: &[&str] = &[
    "path",
    "paths",
    "file",
    "files",
    "filepath",
    "filepaths",
    "directory",
    "directories",
    "dir",
    "dirs",
];

/// Types whose parts may be paths.
const LISTS: &[&str] =
    &["Option", "Box", "Arc", "Rc", "Cow", "Vec", "VecDeque", "BTreeSet", "HashSet"];

pub(crate) enum Files {
    /// Whatever looks like one.
    Found,
    Named(Vec<Expr>),
}

/// Reads `files` or `files(path)`.
pub(crate) fn files(option: &Written) -> syn::Result<Files> {
    let example = "`files`, or `files(path)` with what names them";
    let files = match &option.value {
        Value::Flag => Files::Found,
        _ => Files::Named(option.exprs(example)?),
    };
    if cfg!(feature = "files") {
        Ok(files)
    } else {
        Err(syn::Error::new_spanned(&option.name, needs_feature("`files`", "files")))
    }
}

/// What names files, as expressions over the arguments; or reports why there is nothing.
pub(crate) fn named(
    function: &Function,
    files: Given<Files>,
    key: &Key,
    errors: &mut Errors,
) -> Vec<Expr> {
    let at = files.name;
    match files.value {
        Files::Named(exprs) => {
            for expr in &exprs {
                check(function, expr, expr, key, errors);
            }
            exprs
        }
        Files::Found => {
            let found: Vec<Expr> = function.arguments.iter().flat_map(found).collect();
            if found.is_empty() {
                finds_nothing(&at, errors);
            }
            for expr in &found {
                check(function, &at, expr, key, errors);
            }
            found
        }
    }
}

fn finds_nothing(at: &Ident, errors: &mut Errors) {
    let names = listed(NAMES.iter().copied());
    errors.add(
        at,
        format!(
            "`files` finds no argument that names any: none has `Path` or `PathBuf` as its type, \
             and none is called one of {names}; say which does, as in `files(source)`"
        ),
    );
}

/// Reports what names no argument, or one that calls for other files may share an entry without.
fn check(function: &Function, at: &impl ToTokens, expr: &Expr, key: &Key, errors: &mut Errors) {
    let expr = expr.to_token_stream();
    let receiver = function.has_receiver().then(|| "self".to_owned());
    let names = receiver.into_iter().chain(function.names().map(ToString::to_string));
    let mentioned: Vec<_> = names.filter(|name| mentions(&expr, name)).collect();
    if mentioned.is_empty() {
        let choice = choice(function);
        errors.add(at, format!("`files` names no argument here; {choice}"));
    }
    let parts = &key.parts;
    let key: TokenStream = quote!(#(#parts),*);
    for name in mentioned.iter().filter(|name| !mentions(&key, name)) {
        errors.add(
            at,
            format!(
                "`files` names `{name}`, which the key does not contain, so calls for other files \
                 would share the entry; make it part of the key, or write `files(..)` without it"
            ),
        );
    }
}

/// What of an argument looks like names of files.
fn found(argument: &Argument) -> Vec<Expr> {
    let of_paths = argument.plain && is_of_paths(argument.kind());
    let looks_so = |name: &&Ident| of_paths || NAMES.iter().any(|it| name.unraw() == it);
    argument.names.iter().filter(looks_so).map(|name| parse_quote!(#name)).collect()
}

fn is_of_paths(kind: &Type) -> bool {
    match kind {
        Type::Reference(reference) => is_of_paths(&reference.elem),
        Type::Paren(paren) => is_of_paths(&paren.elem),
        Type::Group(group) => is_of_paths(&group.elem),
        Type::Slice(slice) => is_of_paths(&slice.elem),
        Type::Array(array) => is_of_paths(&array.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(is_path),
        _ => false,
    }
}

fn is_path(segment: &PathSegment) -> bool {
    match &segment.arguments {
        PathArguments::None => segment.ident == "Path" || segment.ident == "PathBuf",
        PathArguments::AngleBracketed(arguments) => {
            let first = arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(kind) => Some(kind),
                _ => None,
            });
            LISTS.iter().any(|list| segment.ident == list) && first.is_some_and(is_of_paths)
        }
        PathArguments::Parenthesized(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_of_paths;

    #[test]
    fn paths_are_found_in_lists_and_behind_references() {
        let kinds = [
            "&Path",
            "PathBuf",
            "&'a std::path::PathBuf",
            "Option<&Path>",
            "Vec<PathBuf>",
            "&[Arc<Path>]",
            "[PathBuf; 2]",
            "Cow<'_, Path>",
            "&HashSet<PathBuf, RandomState>",
            "Box<[PathBuf]>",
        ];
        for kind in kinds {
            assert!(is_of_paths(&syn::parse_str(kind).expect(kind)), "{kind}");
        }
    }

    #[test]
    fn nothing_else_is_taken_for_a_path() {
        let kinds = ["&str", "Path<u64>", "Vec<String>", "Result<PathBuf, E>", "path::Kind", "u8"];
        for kind in kinds {
            assert!(!is_of_paths(&syn::parse_str(kind).expect(kind)), "{kind}");
        }
    }
}
