//! The rules: what an attribute may say about a function. Each mistake is reported where it stands, with its
//! fix.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Error, FnArg, Ident, Item, ItemFn, Result, ReturnType, Signature, Type};

use crate::{
    argument::Argument,
    attr::Options,
    background,
    errors::Errors,
    generics, mentions,
    model::{Home, Key, Model, Uses},
    policy::Policy,
    receiver::Receiver,
    template::{Piece, Place, Scope, Template},
};

/// What the attribute stands on, if it is a function.
pub(crate) fn function(item: TokenStream) -> Result<ItemFn> {
    match syn::parse2(item)? {
        Item::Fn(function) => {
            only_reads(&function)?;
            Ok(function)
        }
        _ => {
            Err(Error::new(Span::call_site(), "`#[cached]` goes on a function with a body, or on an `impl`"))
        }
    }
}

/// Refuses one that writes as well.
pub(crate) fn only_reads(function: &ItemFn) -> Result<()> {
    let writes =
        |attribute: &&Attribute| ["invalidates", "updates"].iter().any(|name| is_called(attribute, name));
    let again = |attribute: &&Attribute| is_called(attribute, "cached");
    let (found, twice) = (function.attrs.iter().find(writes), function.attrs.iter().find(again));
    let wrong = found.map(|found| (found, READS_OR_WRITES));
    let wrong = wrong
        .or(twice.map(|twice| (twice, "this function is cached already, by the attribute above: keep one")));
    wrong.map_or(Ok(()), |(attribute, message)| Err(Error::new_spanned(attribute, message)))
}

/// Why it cannot be both.
pub(crate) const READS_OR_WRITES: &str = "a function is either `cached`, since it reads, or it writes: on a hit of this one nothing would be written";

/// Whether it is the attribute `name`, by whatever path.
pub(crate) fn is_called(attribute: &Attribute, name: &str) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == name)
}

/// Where the function stands, as far as it shows: a method speaks of `self` or `Self`.
pub(crate) fn home(attributes: &TokenStream, function: &ItemFn) -> Home {
    let speaks = |tokens: TokenStream| mentions::speaks_of_self(tokens);
    if speaks(function.to_token_stream()) || speaks(attributes.clone()) { Home::Method } else { Home::Free }
}

/// Holds the attribute against the function.
pub(crate) fn check(mut options: Options, function: ItemFn, home: Home) -> Result<Model> {
    let signature = check_signature(&function.sig)?;
    check_policy(&options.policy, function.sig.asyncness.is_some())?;
    let names = names(&function.sig, &signature);
    let skip = std::mem::take(&mut options.skip);
    let mut key = match options.key.take() {
        Some(template) => Key { by_path: false, template },
        None => path_key(&function.sig, &signature.1, &skip)?,
    };
    let mut errors = Errors::default();
    errors.take(key.template.bind(Scope { names: &names, result: false }));
    for tag in &mut options.tags {
        errors.take(tag.bind(Scope { names: &names, result: true }));
    }
    errors.finish()?;

    let model = Model::new(function, home, signature, key, options);
    let mut errors = Errors::default();
    errors.take(check_skip(&skip, &model));
    errors.take(check_coverage(&skip, &model));
    errors.take(check_generics(&skip, &model));
    errors.take(check_shared(&model));
    errors.take(check_encodable(&model));
    errors.take(background::check(&model));
    errors.finish()?;
    Ok(model)
}

/// What a template may speak of: `self`, the arguments, and the constants among the parameters.
pub(crate) fn names(
    signature: &Signature,
    (receiver, arguments, _): &(Option<Receiver>, Vec<Argument>, Type),
) -> Vec<Ident> {
    let receiver = receiver.iter().map(Receiver::name);
    let arguments = arguments.iter().flat_map(|argument| argument.bindings.iter().cloned());
    let constants = signature.generics.const_params().map(|param| param.ident.clone());
    receiver.chain(arguments).chain(constants).collect()
}

pub(crate) fn check_signature(signature: &Signature) -> Result<(Option<Receiver>, Vec<Argument>, Type)> {
    let mut errors = Errors::default();
    let mut refuse =
        |place: &dyn ToTokens, message| errors.push(Error::new_spanned(place.to_token_stream(), message));
    if let Some(word) = &signature.constness {
        refuse(word, "a `const fn` cannot be cached: remove `const`, or `#[cached]`");
    }
    if let Some(word) = &signature.unsafety {
        refuse(word, "an `unsafe fn` cannot be cached: cache a safe function that calls it");
    }
    if let Some(abi) = &signature.abi {
        refuse(abi, "an `extern` function cannot be cached: cache a function that calls it");
    }
    for attribute in signature.inputs.iter().flat_map(attributes).filter(|attribute| is_cfg(attribute)) {
        refuse(
            attribute,
            "whether this argument is there cannot be told here: put the `#[cfg]` on the function, and write it twice",
        );
    }
    let receiver = match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => errors.take(Receiver::parse(receiver)),
        _ => None,
    };
    let parsed = signature.inputs.iter().enumerate();
    let arguments =
        parsed.filter_map(|(index, input)| errors.take(Argument::parse(index, input)).flatten()).collect();
    let output = errors.take(check_output(signature));
    errors.finish()?;
    // Without an output there was an error.
    Ok((receiver, arguments, output.unwrap_or_else(|| unreachable!("its error was reported"))))
}

fn attributes(input: &FnArg) -> &[Attribute] {
    match input {
        FnArg::Receiver(receiver) => &receiver.attrs,
        FnArg::Typed(typed) => &typed.attrs,
    }
}

pub(crate) fn is_cfg(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr")
}

/// What can be told of the return type without knowing types; the rest is probed where it is known.
fn check_output(signature: &Signature) -> Result<Type> {
    let ReturnType::Type(_, output) = &signature.output else {
        let message = "a cached function returns what is to be cached; this one returns nothing";
        return Err(Error::new(signature.ident.span(), message));
    };
    if let Some(found) = mentions::impl_trait(output) {
        let message = "what is cached has a type with a name: write the type in place of `impl Trait` \
                       (and `async fn` in place of `-> impl Future`)";
        return Err(Error::new_spanned(found, message));
    }
    if mentions::is_future(output) {
        let message = "this function returns a future, which is not what is to be cached: make it an `async fn` \
                       (with `#[async_trait]`, write `#[cached]` on the `impl` too, above `#[async_trait]`)";
        return Err(Error::new_spanned(output, message));
    }
    if mentions::borrows(output) {
        let message = "what is cached outlives the call, so a cached function returns nothing borrowed, \
                       in its errors neither: return a `String` in place of a `&str`, or an `Arc`";
        return Err(Error::new_spanned(output, message));
    }
    match &**output {
        Type::Never(_) => Err(Error::new_spanned(output, "a cached function returns what is to be cached")),
        Type::Tuple(tuple) if tuple.elems.is_empty() => {
            Err(Error::new_spanned(output, "a cached function returns what is to be cached; `()` is nothing"))
        }
        Type::Path(path)
            if signature.generics.type_params().any(|param| path.path.is_ident(&param.ident)) =>
        {
            let name = path.to_token_stream();
            let message = format!(
                "a bare generic return type cannot be told from a `Result`, whose errors are never cached: \
                 return `Option<{name}>`, `Result<{name}, _>` or `Arc<{name}>`"
            );
            Err(Error::new_spanned(output, message))
        }
        _ => Ok((**output).clone()),
    }
}

pub(crate) fn check_policy(policy: &Policy, is_async: bool) -> Result<()> {
    let mut errors = Errors::default();
    if policy.ttl.is_none() {
        let message = "`ttl` is missing: say how long a value is fresh, as in `ttl = \"5m\"`";
        errors.push(Error::new(Span::call_site(), message));
    }
    for word in ["soft_timeout", "hard_timeout"] {
        if let (Some(name), false) = (policy.given(word), is_async) {
            let message = format!(
                "`{word}` is for `async fn`: a synchronous function runs to its end once it has begun; \
                 make it async, or remove `{word}`"
            );
            errors.push(Error::new(name.span(), message));
        }
    }
    // As the policy itself would say at each call, and nothing would be cached.
    if let (Some(soft), None, None, true) =
        (policy.given("soft_timeout"), policy.given("swr"), policy.given("sie"), is_async)
    {
        let message =
            "`soft_timeout` never comes: there is no stale value to give instead; add `sie` or `swr`";
        errors.push(Error::new(soft.span(), message));
    }
    errors.finish()
}

/// The key where none is given: the path of the function, and every argument that is not skipped.
fn path_key(signature: &Signature, arguments: &[Argument], skip: &[Ident]) -> Result<Key> {
    let kept =
        || arguments.iter().filter(|argument| !argument.bindings.iter().all(|name| skip.contains(name)));
    let dropped = arguments.iter().filter(|argument| !kept().any(|kept| kept.name == argument.name));
    for name in generics::names(&signature.generics) {
        // What only a skipped argument needs makes no difference, as the argument does not.
        let dropped = || dropped.clone().map(|argument| argument.ty.to_token_stream());
        if !skip.contains(name) && !dropped().any(|ty| mentions::uses(ty, name)) {
            let message = format!(
                "without a `key` the function's path is the key, which does not tell one `{name}` from another: \
                 give a `key` that does, or `skip = [{name}]` if it makes no difference"
            );
            return Err(Error::new(name.span(), message));
        }
    }
    let mut pieces = Vec::new();
    for name in kept().flat_map(|argument| &argument.bindings).filter(|name| !skip.contains(name)) {
        pieces.extend([Piece::Text(":".into()), Piece::Place(Place::argument(name.clone()))]);
    }
    Ok(Key { by_path: true, template: Template::of(pieces, signature.ident.span()) })
}

pub(crate) fn check_skip(skip: &[Ident], model: &Model) -> Result<()> {
    let mut errors = Errors::default();
    let arguments = model.arguments.iter().flat_map(|argument| &argument.bindings);
    let known = arguments.chain(generics::names(&model.function.sig.generics));
    for (index, name) in skip.iter().enumerate() {
        let message = if !known.clone().any(|known| known == name) {
            format!("`skip` names `{name}`, which is no argument of this function: remove it")
        } else if model.uses(name).key {
            format!("`{name}` is in `key` and in `skip`: remove it from one of them")
        } else if skip[..index].contains(name) {
            format!("`skip` names `{name}` twice: remove one")
        } else {
            continue;
        };
        errors.push(Error::new(name.span(), message));
    }
    errors.finish()
}

fn check_coverage(skip: &[Ident], model: &Model) -> Result<()> {
    let mut errors = Errors::default();
    for name in model.arguments.iter().flat_map(|argument| &argument.bindings) {
        let Uses { key, cache, choice, .. } = model.uses(name);
        if !(key || cache || choice || skip.contains(name)) {
            let message = format!(
                "`{name}` is not in the key, so calls that differ only in `{name}` \
                 would be given each other's value: add `{{{name}}}` to `key`, or `skip = [{name}]` if it makes no difference"
            );
            errors.push(Error::new(name.span(), message));
        }
    }
    errors.finish()
}

/// A `&'static str` borrows nothing, but nothing that is decoded can be one: the compiler's own words are hard to read.
fn check_encodable(model: &Model) -> Result<()> {
    let Some(found) = mentions::reference(&model.output).filter(|_| model.local.is_none()) else {
        return Ok(());
    };
    let message = "a reference cannot be had from a remote tier, even a `'static` one: return a `String` \
                   or a `Cow<'static, str>`, or write `local` to cache it in this process only";
    Err(Error::new_spanned(found, message))
}

/// What only a turbofish tells is in no key. Where the result speaks of it, its type tells one from another.
pub(crate) fn check_generics(skip: &[Ident], model: &Model) -> Result<()> {
    let signature = &model.function.sig;
    let mut errors = Errors::default();
    for name in generics::names(&signature.generics).filter(|name| !skip.contains(name)) {
        let mut rest = signature.clone();
        rest.generics = generics::without(&rest.generics, name);
        let told = model.key.by_path || model.key.template.names(name);
        if !told && !mentions::uses(rest.to_token_stream(), name) {
            let message = format!(
                "nothing in `key` tells one `{name}` from another, so calls that differ only in `{name}` \
                 would be given each other's value: take an argument that tells, and add it to `key`, \
                 or `skip = [{name}]` if it makes no difference"
            );
            errors.push(Error::new(name.span(), message));
        }
    }
    errors.finish()
}

/// One instance must not be given another's values unawares.
pub(crate) fn check_shared(model: &Model) -> Result<()> {
    let shared = model.shared.as_ref();
    let Some(receiver) = &model.receiver else {
        let message = "`shared` is for methods: this function has no `self` whose instances could share";
        let free = shared.filter(|_| model.home == Home::Free);
        return free.map_or(Ok(()), |shared| Err(Error::new(shared.span(), message)));
    };
    let Uses { key, cache, .. } = model.uses(&receiver.name());
    match shared {
        None if !(key || cache) => Err(Error::new_spanned(
            &receiver.tokens,
            "neither `key` nor `cache` speaks of `self`, so one instance would be given another's values: \
             add what tells them apart to `key`, such as `{self.id}`, or use a cache of their own, \
             or write `shared` if all instances share the values",
        )),
        Some(shared) if key => Err(Error::new(
            shared.span(),
            "`key` speaks of `self`, so its instances do not share their values: remove `shared`, or `self` from `key`",
        )),
        _ => Ok(()),
    }
}
