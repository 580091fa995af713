//! What `each` may say about a function.

use proc_macro2::Span;
use syn::{
    Error, Expr, GenericArgument, Ident, ItemFn, PathArguments, Result, Type, TypeReference, parse_quote,
};

use super::{Batch, Form};
use crate::{
    argument::Argument,
    attr::Options,
    background,
    check::{check_generics, check_policy, check_shared, check_signature, check_skip, names},
    errors::Errors,
    model::{Home, Key, Model},
    policy::Policy,
    template::{Piece, Place, Scope, Template},
};

/// Holds the attribute against the function.
pub(super) fn check(mut options: Options, function: ItemFn, home: Home) -> Result<Batch> {
    let signature = check_signature(&function.sig)?;
    if let Some(receiver) = signature.0.iter().find(|receiver| !receiver.is_borrowed()) {
        let message = "a batch may run more than once for one call, so it takes `&self`";
        return Err(Error::new_spanned(&receiver.tokens, message));
    }
    check_policy(&options.policy, function.sig.asyncness.is_some())?;
    check_settings(&options)?;
    check_map(&signature.2)?;
    let skip = std::mem::take(&mut options.skip);
    let mut template = match (options.each.take(), options.key.take()) {
        (Some(each), None) => each,
        (_, key) => {
            let message =
                "`each` is the key of each element, so there is no `key` beside it: remove one of them";
            let span = key.map_or_else(Span::call_site, |key| key.span());
            return Err(Error::new(span, message));
        }
    };
    let names = names(&function.sig, &signature);
    let element = element(&template, &names)?;
    let with_element: Vec<Ident> = names.iter().chain([&element]).cloned().collect();
    template.bind(Scope { names: &with_element, result: false })?;
    let mut errors = Errors::default();
    for tag in &mut options.tags {
        let bound = if tag.names(&element) {
            Err(Error::new(tag.span(), SAME_TAGS))
        } else {
            tag.bind(Scope { names: &names, result: false })
        };
        errors.take(bound);
    }
    errors.finish()?;
    let name = own_part(&template, &element);
    let key = Key { by_path: false, template };
    let mut model = Model::new(function, home, signature, key, options);
    check_skip(&skip, &model)?;
    check_generics(&skip, &model)?;
    check_shared(&model)?;
    let ids = ids(&model, &skip, &element)?;
    if let Some(tag) = model.tags.iter().find(|tag| tag.names(&ids.name)) {
        return Err(Error::new(tag.span(), SAME_TAGS));
    }
    let (form, element_type) = form(&ids.ty)?;
    background::check(&model)?;
    model.elements = Some(ids.name.clone());
    Ok(Batch { model, ids, form, element, element_type, name })
}

const SAME_TAGS: &str =
    "all elements have the same tags: name no element in them (and invalidate one element by its key)";

/// What can be seen not to be a map; the rest is told by type.
fn check_map(output: &Type) -> Result<()> {
    let Type::Path(path) = output else { return Ok(()) };
    let Some(segment) = path.path.segments.last() else { return Ok(()) };
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return Ok(()) };
    let Some(GenericArgument::Type(first)) = arguments.args.first() else { return Ok(()) };
    match &*segment.ident.to_string() {
        "Result" => check_map(first),
        "Vec" if matches!(first, Type::Tuple(_)) => Ok(()),
        "Vec" | "Option" => {
            let message = "with `each` a function returns what it found by element: a `HashMap<K, V>`, a \
                           `BTreeMap<K, V>` or a `Vec<(K, V)>`, or a `Result` of one";
            Err(Error::new_spanned(output, message))
        }
        _ => Ok(()),
    }
}

/// What says something of a single value or call is not for batches.
fn check_settings(options: &Options) -> Result<()> {
    let Options { policy, bypass, refresh, local, tags, .. } = options;
    let at = |expr: &Option<Expr>| expr.as_ref().map(syn::spanned::Spanned::span);
    let not_for_batches = [
        (at(bypass), "bypass"),
        (at(refresh), "refresh"),
        (at(&policy.when), "when"),
        (policy.given("negative_ttl").map(Ident::span), "negative_ttl"),
        (local.as_ref().map(Ident::span), "local"),
    ];
    let found = not_for_batches.into_iter().find_map(|(span, name)| Some((span?, name)));
    if let Some((span, name)) = found {
        return Err(Error::new(span, format!("`{name}` does not go with `each` yet: remove it")));
    }
    if Policy::judges(policy) || tags.iter().any(Template::uses_result) {
        let message = "with `each` the TTL is the same for all elements: give a string such as `\"5m\"`, or a `Duration`";
        return Err(Error::new(Span::call_site(), message));
    }
    Ok(())
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
fn ids(model: &Model, skip: &[Ident], element: &Ident) -> Result<Argument> {
    let spoken_of = |name: &Ident| {
        let uses = model.uses(name);
        uses.key || uses.cache || skip.contains(name)
    };
    let mut left = model.arguments.iter().filter(|argument| !argument.bindings.iter().any(spoken_of));
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
    if ids.is_taken_apart() {
        return Err(Error::new_spanned(&ids.ty, "the argument that holds the elements needs one name"));
    }
    Ok(ids.clone())
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
