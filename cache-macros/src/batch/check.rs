//! What `each` may say about a function.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Error, Ident, ItemFn, Result, Type, TypeReference, parse_quote};

use super::{Batch, Form};
use crate::{
    attr::Options,
    check::{check_owned, check_signature, check_skip},
    errors::Errors,
    mentions,
    model::{Argument, Model},
    template::{Piece, Place, Scope, Template},
};

/// Holds the attribute against the function.
pub(super) fn check(options: Options, function: ItemFn) -> Result<Batch> {
    let (mut arguments, output) = check_signature(&function.sig)?;
    let Options { each, key, ttl, swr, sie, mut tags, cache, skip, .. } = options;
    let missing = |what: &str| Error::new(Span::call_site(), what);
    // Who calls this has seen it.
    let mut key = match (each, key) {
        (Some(each), None) => each,
        (_, key) => {
            let message =
                "`each` is the key of each element, so there is no `key` beside it: remove one of them";
            let span = key.map_or_else(Span::call_site, |key| key.span());
            return Err(Error::new(span, message));
        }
    };
    let ttl =
        ttl.ok_or_else(|| missing("`ttl` is missing: say how long a value is fresh, as in `ttl = \"5m\"`"))?;

    let names: Vec<Ident> = arguments.iter().map(|argument| argument.name.clone()).collect();
    let element = element(&key, &names)?;
    let with_element: Vec<Ident> = names.iter().chain([&element]).cloned().collect();
    key.bind(Scope { names: &with_element, result: false })?;
    let mut errors = Errors::default();
    for tag in &mut tags {
        errors.take(tag.bind(Scope { names: &names, result: false }));
    }
    errors.finish()?;
    for argument in &mut arguments {
        argument.in_key = key.names(&argument.name);
        argument.in_cache =
            cache.as_ref().is_some_and(|cache| mentions::uses(cache.to_token_stream(), &argument.name));
    }
    check_skip(&skip, &arguments)?;
    let ids = ids(&mut arguments, &skip, &element)?;
    if swr.is_some() {
        check_owned(&arguments)?;
    }
    if let Some(tag) = tags.iter().find(|tag| tag.names(&ids.name)) {
        let message = format!("all elements have the same tags, so `{{{}}}` cannot be in one", ids.name);
        return Err(Error::new(tag.span(), message));
    }
    let (form, element_type) = form(&ids.ty)?;
    let name = own_part(&key, &element);
    let model = Model { function, arguments, output, key, tags, ttl, swr, sie, cache };
    Ok(Batch { model, ids: ids.name, form, element, element_type, name })
}

/// The placeholder that is no argument's name.
fn element(key: &Template, arguments: &[Ident]) -> Result<Ident> {
    let mut elements = key.places().map(|place| &place.root).filter(|root| !arguments.contains(root));
    let Some(element) = elements.next() else {
        let message = "`each` names no element: give one a name that is no argument's, such as `{id}` where the \
                       argument is `ids: &[u64]`";
        return Err(Error::new(key.span(), message));
    };
    if let Some(other) = elements.find(|other| *other != element) {
        let message = format!(
            "`{{{element}}}` and `{{{other}}}` are no arguments, and only one of them can be the element; \
             of a tuple, write `{{{element}.0}}` and `{{{element}.1}}`"
        );
        return Err(Error::new(key.span(), message));
    }
    Ok(element.clone())
}

/// The argument that nothing else speaks of.
fn ids(arguments: &mut [Argument], skip: &[Ident], element: &Ident) -> Result<Argument> {
    let mut left = arguments
        .iter_mut()
        .filter(|argument| !argument.in_key && !argument.in_cache && !skip.contains(&argument.name));
    let Some(ids) = left.next() else {
        let message = format!(
            "every argument is in `each`, `skip` or `cache`, and none is left that holds the elements `{element}`: \
             add one such as `{element}s: &[u64]`"
        );
        return Err(Error::new(Span::call_site(), message));
    };
    if let Some(other) = left.next() {
        let message = format!(
            "`{}` or `{}` holds the elements `{element}`, and the other one is not in the key: add it to `each`, or \
             `skip` it if it makes no difference",
            ids.name, other.name
        );
        return Err(Error::new(other.name.span(), message));
    }
    ids.in_key = true;
    Ok(Argument { name: ids.name.clone(), ty: ids.ty.clone(), in_key: true, in_cache: false })
}

/// How the elements are passed, and what one of them is.
fn form(ty: &Type) -> Result<(Form, Type)> {
    match ty {
        Type::Reference(TypeReference { elem, mutability: None, .. }) => match &**elem {
            Type::Slice(slice) => Ok((Form::Slice, (*slice.elem).clone())),
            Type::Path(_) => Ok((Form::Borrowed((**elem).clone()), item_of(elem))),
            _ => Err(refused(ty)),
        },
        Type::Path(_) => Ok((Form::Owned(ty.clone()), item_of(ty))),
        _ => Err(refused(ty)),
    }
}

fn item_of(collection: &Type) -> Type {
    parse_quote!(<#collection as ::core::iter::IntoIterator>::Item)
}

fn refused(ty: &Type) -> Error {
    let message = "the missing elements are passed on in an argument of this type, so it must be one that can be \
                   collected: `&[I]`, `Vec<I>`, `HashSet<I>` or a reference to such";
    Error::new_spanned(ty, message)
}

/// What of the key is the element's own.
fn own_part(key: &Template, element: &Ident) -> Template {
    let mut pieces = Vec::new();
    for place in key.places().filter(|place| place.root == *element) {
        if !pieces.is_empty() {
            pieces.push(Piece::Text(":".into()));
        }
        pieces.push(Piece::Place(Place::clone(place)));
    }
    Template::of(pieces, key.span())
}
