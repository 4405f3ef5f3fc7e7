//! What the attribute says.

use crate::diagnostics::Errors;
use crate::options::{self, Names, Value, Written};
use crate::paths;
use crate::template::{self, Template};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, ExprPath, Path};

pub(crate) struct Options {
    /// Everything that carries one of these is forgotten.
    pub(crate) tags: Vec<Template>,
    /// Everything that these functions cached is.
    pub(crate) functions: Vec<ExprPath>,
    pub(crate) root: Option<Path>,
}

const NAMES: Names<'_> =
    Names { what: "option", example: "`tags(\"user:{id}\")`", known: &["tags", "on", "crate"] };

impl Options {
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let read = options::read(tokens, &NAMES, errors);
        let mut all = Self { tags: Vec::new(), functions: Vec::new(), root: None };
        let mut is_anything = !read.meant.is_empty() || !errors.is_empty();
        for option in read.options {
            let name = option.name.unraw().to_string();
            is_anything |= name != "crate";
            match name.as_str() {
                "tags" => all.tags = errors.take(template::tags(&option)).unwrap_or_default(),
                "on" => all.functions = errors.take(on(&option)).unwrap_or_default(),
                _ => all.root = errors.take(paths::root(&option)),
            }
        }
        if !is_anything {
            errors.combine(syn::Error::new(
                proc_macro2::Span::call_site(),
                "`#[invalidates]` needs what the change makes invalid; write `tags(\"user:{id}\")`, \
                 `on = function`, or both",
            ));
        }
        all
    }
}

/// Reads `on = ..`.
fn on(option: &Written) -> syn::Result<Vec<ExprPath>> {
    let example = "`on = decide` or `on(decide, rank)`, with the paths of cached functions";
    let path = |expr: &Expr| match expr {
        Expr::Path(path) => Ok(path.clone()),
        other => Err(option.fault_at(other.to_token_stream(), example)),
    };
    if matches!(option.value, Value::Listed(_)) {
        return option.exprs(example)?.iter().map(path).collect();
    }
    path(option.expr(example)?).map(|path| vec![path])
}
