//! The rules: what an attribute may say about a function. Each mistake is reported where it stands, with its
//! fix.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Error, FnArg, Ident, Item, ItemFn, Pat, Result, ReturnType, Signature, Type};

use crate::{
    attr::Options,
    duration::Time,
    errors::Errors,
    mentions,
    model::{Argument, Model},
    template::{Scope, Template},
};

/// What the attribute stands on, if it is a function.
pub(crate) fn function(item: TokenStream) -> Result<ItemFn> {
    match syn::parse2(item)? {
        Item::Fn(function) => Ok(function),
        _ => Err(Error::new(Span::call_site(), "`#[cached]` goes on a function with a body")),
    }
}

/// Holds the attribute against the function.
pub(crate) fn check(options: Options, function: ItemFn) -> Result<Model> {
    let (mut arguments, output) = check_signature(&function.sig)?;
    let (mut key, ttl) = check_required(options.key, options.ttl)?;
    let Options { mut tags, swr, sie, cache, skip, .. } = options;

    let names: Vec<Ident> = arguments.iter().map(|argument| argument.name.clone()).collect();
    let mut errors = Errors::default();
    for template in std::iter::once(&mut key).chain(&mut tags) {
        errors.take(template.bind(Scope { names: &names, result: false }));
    }
    errors.finish()?;

    for argument in &mut arguments {
        argument.in_key = key.names(&argument.name);
        argument.in_cache =
            cache.as_ref().is_some_and(|cache| mentions::uses(cache.to_token_stream(), &argument.name));
    }
    let mut errors = Errors::default();
    errors.take(check_skip(&skip, &arguments));
    errors.take(check_coverage(&skip, &arguments));
    if swr.is_some() {
        errors.take(check_owned(&arguments));
    }
    errors.finish()?;
    Ok(Model { function, arguments, output, key, tags, ttl, swr, sie, cache })
}

pub(crate) fn check_signature(signature: &Signature) -> Result<(Vec<Argument>, Type)> {
    let mut errors = Errors::default();
    if let Some(word) = &signature.constness {
        errors
            .push(Error::new_spanned(word, "a `const fn` cannot be cached: remove `const`, or `#[cached]`"));
    }
    if let Some(word) = &signature.unsafety {
        errors.push(Error::new_spanned(
            word,
            "an `unsafe fn` cannot be cached: cache a safe function that calls it",
        ));
    }
    if let Some(abi) = &signature.abi {
        errors.push(Error::new_spanned(
            abi,
            "an `extern` function cannot be cached: cache a function that calls it",
        ));
    }
    let arguments = signature.inputs.iter().filter_map(|input| errors.take(check_argument(input))).collect();
    let output = check_output(signature);
    if let Err(error) = &output {
        errors.push(error.clone());
    }
    errors.finish()?;
    Ok((arguments, output?))
}

fn check_argument(input: &FnArg) -> Result<Argument> {
    let typed = match input {
        FnArg::Typed(typed) => typed,
        FnArg::Receiver(receiver) => {
            let message = "methods cannot be cached yet: move the body into a free function \
                           that takes what it needs of `self`, and cache that";
            return Err(Error::new_spanned(receiver, message));
        }
    };
    match &*typed.pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
            Ok(Argument { name: pat.ident.clone(), ty: (*typed.ty).clone(), in_key: false, in_cache: false })
        }
        Pat::Wild(wild) => Err(Error::new_spanned(
            wild,
            "an argument of a cached function needs a name, to stand in `key` or in `skip`: write `_unused`",
        )),
        pattern => Err(Error::new_spanned(
            pattern,
            "an argument of a cached function needs one name, to stand in `key` or in `skip`: \
             take it whole, and destructure it in the body",
        )),
    }
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

fn check_required(key: Option<Template>, ttl: Option<Time>) -> Result<(Template, Time)> {
    let missing = |what: &str| Error::new(Span::call_site(), what);
    match (key, ttl) {
        (Some(key), Some(ttl)) => Ok((key, ttl)),
        (None, Some(_)) => {
            Err(missing("`key` is missing: add `key = \"...\"` with the arguments, as in `\"user:{id}\"`"))
        }
        (Some(_), None) => {
            Err(missing("`ttl` is missing: say how long a value is fresh, as in `ttl = \"5m\"`"))
        }
        (None, None) => {
            Err(missing("`key` and `ttl` are missing: write `#[cached(key = \"user:{id}\", ttl = \"5m\")]`"))
        }
    }
}

pub(crate) fn check_skip(skip: &[Ident], arguments: &[Argument]) -> Result<()> {
    let mut errors = Errors::default();
    for (index, name) in skip.iter().enumerate() {
        let message = match arguments.iter().find(|argument| argument.name == *name) {
            None => format!("`skip` names `{name}`, which is no argument of this function: remove it"),
            Some(argument) if argument.in_key => {
                format!("`{name}` is in `key` and in `skip`: remove it from one of them")
            }
            Some(_) if skip[..index].contains(name) => format!("`skip` names `{name}` twice: remove one"),
            Some(_) => continue,
        };
        errors.push(Error::new(name.span(), message));
    }
    errors.finish()
}

fn check_coverage(skip: &[Ident], arguments: &[Argument]) -> Result<()> {
    let mut errors = Errors::default();
    for Argument { name, in_key, in_cache, .. } in arguments {
        if !in_key && !in_cache && !skip.contains(name) {
            let message = format!(
                "`{name}` is not in the key, so calls that differ only in `{name}` \
                 would be given each other's value: add `{{{name}}}` to `key`, or `skip = [{name}]` if it makes no difference"
            );
            errors.push(Error::new(name.span(), message));
        }
    }
    errors.finish()
}

/// A refresh outlives the call that starts it.
pub(crate) fn check_owned(arguments: &[Argument]) -> Result<()> {
    let mut errors = Errors::default();
    for Argument { name, ty, .. } in arguments.iter().filter(|argument| mentions::borrows(&argument.ty)) {
        let message = format!(
            "with `swr` the function may run in the background, after its caller is gone, \
             so `{name}` cannot be borrowed: take it by value (a `String`, an `Arc`), or remove `swr`"
        );
        errors.push(Error::new_spanned(ty, message));
    }
    errors.finish()
}
