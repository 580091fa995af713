//! The `self` of a cached method.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Error, Ident, Result, Type, TypeReference,
    visit::{self, Visit},
};

/// See the module.
#[derive(Clone)]
pub(crate) struct Receiver {
    /// As it is written.
    pub(crate) tokens: syn::Receiver,
    kind: Kind,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Borrowed,
    /// An `Arc` or `Rc`: cheap to clone.
    Counted,
    Owned,
}

impl Receiver {
    pub(crate) fn parse(receiver: &syn::Receiver) -> Result<Self> {
        let mut search = Mutable(None);
        search.visit_type(&receiver.ty);
        if let Some(span) = search.0 {
            let message = "a method that changes `self` cannot be cached, since a hit would change nothing: \
                           take `&self`, or cache what it computes apart";
            return Err(Error::new(span, message));
        }
        let kind = match &*receiver.ty {
            Type::Reference(_) => Kind::Borrowed,
            Type::Path(path)
                if path
                    .path
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "Arc" || last.ident == "Rc") =>
            {
                Kind::Counted
            }
            _ => Kind::Owned,
        };
        let mut tokens = receiver.clone();
        tokens.mutability = None;
        Ok(Self { tokens, kind })
    }

    pub(crate) fn is_borrowed(&self) -> bool {
        self.kind == Kind::Borrowed
    }

    /// Another of it, for one of many calls; `None` where it is used up by one.
    pub(crate) fn again(&self) -> Option<TokenStream> {
        match self.kind {
            Kind::Borrowed => Some(quote!(self)),
            Kind::Counted => Some(quote!(::core::clone::Clone::clone(&self))),
            Kind::Owned => None,
        }
    }

    /// `self`, to be found among the arguments.
    pub(crate) fn name(&self) -> Ident {
        Ident::new("self", self.tokens.self_token.span)
    }
}

/// Where a type lends something to be changed.
struct Mutable(Option<Span>);

impl Visit<'_> for Mutable {
    fn visit_type_reference(&mut self, reference: &TypeReference) {
        if let Some(word) = &reference.mutability {
            self.0.get_or_insert(word.span);
        }
        visit::visit_type_reference(self, reference);
    }
}
