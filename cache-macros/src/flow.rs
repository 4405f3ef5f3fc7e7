//! How a function gives its value: at once, by a future, or by a boxed one.

use proc_macro2::{Group, TokenStream};
use quote::ToTokens;
use syn::{
    Block, Expr, GenericArgument, PathArguments, ReturnType, Signature, Stmt, Type, TypeParamBound,
};

pub(crate) enum Flow {
    Plain,
    Async,
    /// By returning a boxed future, as `#[async_trait]` makes it: what stands around the async
    /// block, and what is in it.
    Boxed {
        around: TokenStream,
        inside: TokenStream,
        out: Box<Type>,
    },
}

impl Flow {
    pub(crate) fn of(signature: &Signature, body: &Group) -> Self {
        if signature.asyncness.is_some() {
            Self::Async
        } else {
            boxed(signature, body).unwrap_or(Self::Plain)
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        !matches!(self, Self::Plain)
    }
}

/// Recognizes `-> Pin<Box<dyn Future<Output = T> + ..>> { ..; Box::pin(async move { .. }) }`.
fn boxed(signature: &Signature, body: &Group) -> Option<Flow> {
    let ReturnType::Type(_, returned) = &signature.output else { return None };
    let out = output_of_future(only_argument(only_argument(returned, "Pin")?, "Box")?)?;
    let Block { mut stmts, .. } = syn::parse2(body.to_token_stream()).ok()?;
    let Some(Stmt::Expr(Expr::Call(call), None)) = stmts.pop() else { return None };
    let Expr::Path(path) = &*call.func else { return None };
    if path.path.segments.last()?.ident != "pin" {
        return None;
    }
    let Expr::Async(block) = call.args.first()? else { return None };
    let around = stmts.iter().map(ToTokens::to_token_stream).collect();
    let inside = block.block.stmts.iter().map(ToTokens::to_token_stream).collect();
    Some(Flow::Boxed { around, inside, out: Box::new(out.clone()) })
}

/// `T` of a path that ends in `name<T>`.
fn only_argument<'a>(kind: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = kind else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(kind) if last.ident == name => Some(kind),
        _ => None,
    }
}

fn output_of_future(kind: &Type) -> Option<&Type> {
    let Type::TraitObject(object) = kind else { return None };
    object.bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last()?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(it) if it.ident == "Output" && last.ident == "Future" => {
                Some(&it.ty)
            }
            _ => None,
        })
    })
}
