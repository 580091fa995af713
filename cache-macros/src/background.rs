//! Runs in the background: a function that may outlive its call owns what it works on.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Error, Ident, Result, Type, TypeReference, spanned::Spanned};

use crate::{
    argument::Argument,
    errors::Errors,
    expand::{at, moved},
    mentions,
    model::Model,
};

/// Refuses what can neither be taken along nor be cloned.
pub(crate) fn check(model: &Model) -> Result<()> {
    let Some(setting) = model.policy.background() else { return Ok(()) };
    let mut errors = Errors::default();
    for Argument { ty, name, bindings, .. } in &model.arguments {
        let fixed = match lent(ty) {
            Some(lent) => lent.mutability.is_some() || mentions::borrows(&lent.elem),
            None => mentions::borrows(ty),
        };
        if fixed {
            let name = bindings.first().unwrap_or(name);
            let message = format!(
                "with `{setting}` the function may run in the background, after its caller is gone, so `{name}`, \
                 which cannot be cloned for that, cannot be borrowed: take it by value (a `String`, an `Arc`), \
                 or remove `{setting}`"
            );
            errors.push(Error::new_spanned(ty, message));
        }
    }
    errors.finish()
}

/// A reference that ends with the call.
fn lent(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(lent) if lent.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") => {
            Some(lent)
        }
        _ => None,
    }
}

/// The types behind references that are no `Clone`, but can be owned as another type.
fn is_unsized(ty: &Type) -> bool {
    const NAMES: [&str; 4] = ["str", "Path", "OsStr", "CStr"];
    match ty {
        Type::Slice(_) => true,
        Type::Path(path) => {
            path.path.segments.last().is_some_and(|last| NAMES.iter().any(|name| last.ident == name))
        }
        _ => false,
    }
}

/// What a load takes along: how it comes by it, and what it then hands to the function.
pub(crate) struct Luggage {
    pub(crate) packing: TokenStream,
    pub(crate) receiver: Option<TokenStream>,
    pub(crate) arguments: Vec<TokenStream>,
}

/// Clones what is borrowed, if the load may run in the background.
pub(crate) fn pack(model: &Model, facade: &TokenStream) -> Luggage {
    let packs = model.policy.background().is_some();
    let mut packing = TokenStream::new();
    let mut packed = |name: &TokenStream, local: &Ident, ty: &Type, place: Span| {
        let at = at(place);
        let facade = moved(facade, at);
        let owned = if is_unsized(ty) {
            quote_spanned!(at=> ::std::borrow::ToOwned::to_owned)
        } else {
            quote_spanned!(at=> #facade::__private::cloned)
        };
        packing.extend(quote_spanned!(at=> let #local = #owned(#name);));
        quote!(&#local)
    };
    let receiver = model.receiver.as_ref().map(|receiver| {
        let name = receiver.name();
        match lent(&receiver.tokens.ty).filter(|_| packs) {
            Some(of) => {
                let local = Ident::new("__larder_self", Span::mixed_site());
                packed(&quote!(#name), &local, &of.elem, receiver.tokens.span())
            }
            None => quote!(#name),
        }
    });
    let arguments =
        model.arguments.iter().map(|Argument { name, ty, .. }| match lent(ty).filter(|_| packs) {
            Some(of) => packed(&quote!(#name), name, &of.elem, ty.span()),
            None => quote!(#name),
        });
    let arguments = arguments.collect();
    Luggage { packing, receiver, arguments }
}
