//! The annotated function. Its body stays tokens, so that what is broken in it is for the compiler
//! to report.

use crate::flow::Flow;
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::visit::Visit;
use syn::{
    AttrStyle, Attribute, FnArg, Pat, PatIdent, PatType, ReturnType, Signature, Token, Type,
    Visibility,
};

pub(crate) struct Function {
    /// Those before the function and those at the beginning of its body.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) signature: Signature,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) flow: Flow,
    /// With its braces, without its attributes.
    pub(crate) body: Group,
}

/// One argument other than `self`.
pub(crate) struct Argument {
    pub(crate) written: PatType,
    /// What its pattern binds; the body can't see anything else of it.
    pub(crate) names: Vec<Ident>,
    /// Whether the pattern is but a name.
    pub(crate) plain: bool,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let defaultness = if input.peek(Token![default]) && !input.peek2(Token![!]) {
            Some(input.parse()?)
        } else {
            None
        };
        if !is_function(input) {
            return Err(input.error("the attribute goes on a function or method"));
        }
        let signature: Signature = input.parse()?;
        if input.peek(Token![;]) {
            return Err(input
                .error("the attribute needs a body; put it on the implementation of the method"));
        }
        let (inner, body) = body(&input.parse()?)?;
        attributes.extend(inner);
        let arguments = signature.inputs.iter().filter_map(argument).collect();
        let flow = Flow::of(&signature, &body);
        Ok(Self { attributes, visibility, defaultness, signature, arguments, flow, body })
    }
}

fn is_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while ahead.peek(Token![const])
        || ahead.peek(Token![async])
        || ahead.peek(Token![unsafe])
        || ahead.peek(Token![safe])
        || ahead.peek(Token![extern])
        || ahead.peek(syn::LitStr)
    {
        if ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    ahead.peek(Token![fn])
}

/// Parts the attributes at the beginning of a body from it. They become the function's own, since
/// the body moves to where they can't stand.
fn body(body: &Group) -> syn::Result<(Vec<Attribute>, Group)> {
    let parts = |input: ParseStream<'_>| {
        Ok((Attribute::parse_inner(input)?, input.parse::<TokenStream>()?))
    };
    let (mut attributes, rest) = parts.parse2(body.stream())?;
    for attribute in &mut attributes {
        attribute.style = AttrStyle::Outer;
    }
    let mut whole = Group::new(body.delimiter(), rest);
    whole.set_span(body.span());
    Ok((attributes, whole))
}

fn argument(input: &FnArg) -> Option<Argument> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            if !self.0.contains(&pattern.ident) {
                self.0.push(pattern.ident.clone());
            }
            syn::visit::visit_pat_ident(self, pattern);
        }
    }
    let FnArg::Typed(written) = input else { return None };
    let mut names = Names(Vec::new());
    names.visit_pat(&written.pat);
    let plain = matches!(&*written.pat, Pat::Ident(PatIdent { subpat: None, .. }));
    Some(Argument { written: written.clone(), names: names.0, plain })
}

impl Argument {
    pub(crate) fn kind(&self) -> &Type {
        &self.written.ty
    }
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

    /// Whether the function stands in an impl or a trait, as far as its own tokens tell.
    pub(crate) fn is_associated(&self) -> bool {
        self.has_receiver()
            || self.defaultness.is_some()
            || self.signature.inputs.iter().any(|it| mentions_self_type(it.to_token_stream()))
            || mentions_self_type(self.signature.output.to_token_stream())
            || mentions_self_type(self.signature.generics.where_clause.to_token_stream())
            || mentions_self_type(self.body.stream())
    }

    /// The type of the value, that of the future's output where there is one.
    pub(crate) fn out(&self) -> Type {
        match (&self.flow, &self.signature.output) {
            (Flow::Boxed { out, .. }, _) | (_, ReturnType::Type(_, out)) => (**out).clone(),
            (_, ReturnType::Default) => syn::parse_quote!(()),
        }
    }
}

/// Whether `Self` is mentioned, before any item that may have one of its own.
fn mentions_self_type(tokens: TokenStream) -> bool {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => return true,
            TokenTree::Ident(ident) if ITEMS.iter().any(|item| ident == item) => return false,
            TokenTree::Group(group) if mentions_self_type(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

/// What may have a `Self` of its own.
const ITEMS: [&str; 5] = ["trait", "impl", "struct", "enum", "union"];
