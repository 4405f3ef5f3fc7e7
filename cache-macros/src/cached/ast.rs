//! The annotated function. Its body stays tokens, so that what is broken in it is for the compiler
//! to report.

use proc_macro2::{Group, Ident, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::visit::Visit;
use syn::{
    Attribute, Block, Expr, FnArg, GenericArgument, Pat, PatIdent, PathArguments, ReturnType,
    Signature, Stmt, Token, Type, TypeParamBound, Visibility,
};

pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    /// With its braces.
    pub(crate) body: Group,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) flow: Flow,
}

/// One argument other than `self`.
pub(crate) struct Argument {
    /// What its pattern binds; the body can't see anything else of it.
    pub(crate) names: Vec<Ident>,
    pub(crate) plain: bool,
    pub(crate) kind: Type,
}

/// How the function gives its value.
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

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let defaultness = if input.peek(Token![default]) && !input.peek2(Token![!]) {
            Some(input.parse()?)
        } else {
            None
        };
        if !is_function(input) {
            return Err(input.error("`#[cached]` goes on a function or method"));
        }
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input.error(
                "`#[cached]` needs a body to cache; put it on the implementation of the method",
            ));
        }
        let body: Group = input.parse()?;
        let arguments = signature.inputs.iter().filter_map(argument).collect();
        let flow = if signature.asyncness.is_some() {
            Flow::Async
        } else {
            boxed(&signature, body.to_token_stream()).unwrap_or(Flow::Plain)
        };
        Ok(Self { attributes, visibility, defaultness, signature, body, arguments, flow })
    }
}

fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![extern])
        || ahead.peek(syn::LitStr)
    {
        if ahead.parse::<proc_macro2::TokenTree>().is_err() {
            return false;
        }
    }
    ahead.peek(Token![fn])
}

fn argument(input: &FnArg) -> Option<Argument> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.0.push(pattern.ident.clone());
            syn::visit::visit_pat_ident(self, pattern);
        }
    }
    let FnArg::Typed(typed) = input else { return None };
    let mut names = Names(Vec::new());
    names.visit_pat(&typed.pat);
    let plain = matches!(&*typed.pat, Pat::Ident(_));
    Some(Argument { names: names.0, plain, kind: (*typed.ty).clone() })
}

/// Recognizes `-> Pin<Box<dyn Future<Output = T> + ..>> { ..; Box::pin(async move { .. }) }`.
fn boxed(signature: &Signature, body: TokenStream) -> Option<Flow> {
    let ReturnType::Type(_, returned) = &signature.output else { return None };
    let out = output_of_future(only_argument(only_argument(returned, "Pin")?, "Box")?)?;
    let Block { mut stmts, .. } = syn::parse2(body).ok()?;
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

impl Function {
    /// The names a template or `skip` may use, without `self`.
    pub(crate) fn names(&self) -> impl Iterator<Item = &Ident> {
        self.arguments.iter().flat_map(|argument| &argument.names)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names().any(|it| it.unraw() == name || *it == name)
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.signature.receiver().is_some()
    }

    pub(crate) fn is_async(&self) -> bool {
        !matches!(self.flow, Flow::Plain)
    }

    /// The type of the value, that of the future's output where there is one.
    pub(crate) fn out(&self) -> Type {
        match (&self.flow, &self.signature.output) {
            (Flow::Boxed { out, .. }, _) => (**out).clone(),
            (_, ReturnType::Type(_, out)) => (**out).clone(),
            (_, ReturnType::Default) => syn::parse_quote!(()),
        }
    }
}
