//! `#[cached]` on an `impl`: its methods bear attributes of their own. In an `impl` of a trait, which has no room for
//! companions, they stand in an `impl` beside it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Error, Ident, ImplItem, ImplItemFn, ItemFn, ItemImpl, Meta, Result, Visibility, parse_quote,
};

use crate::{
    associated,
    attr::Options,
    check,
    errors::Errors,
    expand::{Expansion, function_or_batch},
    generics, mentions,
    model::{Home, Model},
    twins, writer,
};

/// The block with its cached methods.
pub(crate) fn expand_all(attributes: &TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    if !attributes.is_empty() {
        let message =
            "on an `impl`, `#[cached]` takes no settings: write them on its methods, `#[cached(...)]`";
        return Err(Error::new_spanned(attributes, message));
    }
    let whole = block.clone();
    let mut errors = Errors::default();
    let (mut items, mut companions, mut found) = (Vec::new(), TokenStream::new(), false);
    let mut above = Vec::new();
    for item in std::mem::take(&mut block.items) {
        let mut method = match item {
            ImplItem::Fn(method) => method,
            item => {
                items.push(item);
                continue;
            }
        };
        let Some(attribute) = take_cached(&mut method) else {
            // Those that write are expanded here as well, before an attribute below ours makes other functions of them.
            let writer = errors.take(writer::method(&method)).flatten();
            found |= writer.is_some();
            items.push(writer.map_or(ImplItem::Fn(method), ImplItem::Verbatim));
            continue;
        };
        found = true;
        if let Some(twin) = twin(&method, &whole, &above) {
            errors.take(twin);
            items.push(ImplItem::Fn(method));
            continue;
        }
        above.push(method.sig.ident.clone());
        match errors.take(expand_method(&attribute, &method, &whole)) {
            Some(Expansion { function, companions: its, uncached }) => {
                items.push(ImplItem::Verbatim(function));
                companions.extend([its, uncached]);
            }
            // Untouched, so that one mistake is one error.
            None => items.push(ImplItem::Fn(method)),
        }
    }
    if !found {
        let message =
            "no method of this `impl` is cached: write `#[cached(key = ..., ttl = ...)]` on those that are";
        errors.push(Error::new_spanned(&block.self_ty, message));
    }
    block.items = items;
    let beside = beside(&block, companions);
    let error = errors.finish().err().map(Error::into_compile_error);
    Ok(quote!(#block #beside #error))
}

/// Whether the companions of another method bear the names of this one's, and what to say of it; where both are in blocks
/// of the type itself, the compiler says so.
fn twin(method: &ImplItemFn, block: &ItemImpl, above: &[Ident]) -> Option<Result<()>> {
    let (ty, name) = (&block.self_ty, &method.sig.ident);
    let ty = ty.to_token_stream().to_string();
    let cfg = method.attrs.iter().chain(&block.attrs).any(check::is_cfg);
    let second = !cfg && (above.contains(name) || twins::is_second(format!("{ty} {name}")));
    let message = format!(
        "another `impl` of `{ty}` has a cached `{name}`, and both would have the companions `{name}_key`, \
         `{name}_invalidate` and so on: cache a method of the type itself that only this one calls"
    );
    let of_trait = block.trait_.is_some();
    second.then(|| if of_trait { Err(Error::new(name.span(), message)) } else { Ok(()) })
}

/// The `#[cached(...)]` of a method, whatever path it is written by.
fn take_cached(method: &mut ImplItemFn) -> Option<Attribute> {
    let is_cached =
        |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "cached");
    let at = method.attrs.iter().position(is_cached)?;
    Some(method.attrs.remove(at))
}

fn expand_method(attribute: &Attribute, method: &ImplItemFn, block: &ItemImpl) -> Result<Expansion> {
    let settings = match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) => TokenStream::new(),
        Meta::NameValue(other) => return Err(Error::new_spanned(other, "write `#[cached(...)]`")),
    };
    let mut function: ItemFn = syn::parse2(method.to_token_stream())?;
    check::only_reads(&function)?;
    let options = Options::parse(settings)?;
    let in_trait = block.trait_.is_some();
    if in_trait {
        associated::spell_out(&mut function, block);
        // Its companions are no part of the trait, and are seen where the type is.
        function.vis = parse_quote!(pub(crate));
    }
    let (mut expansion, model) = function_or_batch(options, function, Home::Method)?;
    check_types(&model, block)?;
    if in_trait {
        expansion.function = without_visibility(expansion.function)?;
    }
    Ok(expansion)
}

/// A function without `self` is one function for each type that the block is for.
fn check_types(model: &Model, block: &ItemImpl) -> Result<()> {
    let mut errors = Errors::default();
    let signature = model.function.sig.to_token_stream();
    let speaks = |name: &Ident| mentions::uses(signature.clone(), name);
    let told = model.receiver.is_some()
        || model.shared.is_some()
        || model.key.by_path
        || speaks(&Ident::new("Self", Span::call_site()));
    for name in generics::names(&block.generics).filter(|name| !told && !speaks(name)) {
        let message = format!(
            "nothing in `key` tells one `{name}` of the `impl` from another, so functions that differ only in `{name}` would \
             be given each other's value: leave `key` out (the path of the type is then in it), or take an argument that \
             tells, or write `shared` if all of them share the values"
        );
        errors.push(Error::new(model.key.template.span(), message));
    }
    errors.finish()
}

fn without_visibility(function: TokenStream) -> Result<TokenStream> {
    let mut function: ItemFn = syn::parse2(function)?;
    function.vis = Visibility::Inherited;
    Ok(function.into_token_stream())
}

/// Another block of the same type, for the companions.
fn beside(block: &ItemImpl, companions: TokenStream) -> Option<TokenStream> {
    if companions.is_empty() {
        return None;
    }
    let (ty, generics) = (&block.self_ty, &block.generics);
    let clause = &generics.where_clause;
    let cfg = crate::expand::cfg(&block.attrs);
    Some(quote! {
        #(#cfg)*
        impl #generics #ty #clause {
            #companions
        }
    })
}
