//! `#[invalidates]` and `#[updates]`: functions that write, and what they change in the cache. All of them on one
//! function are expanded together, by the first.

mod attr;
mod check;
mod expand;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Ident, ItemFn, Result, Type};

use crate::{duration::Time, template::Template};
pub(crate) use attr::Kind;

/// A function that writes. Every name in it is known to exist.
struct Model {
    function: ItemFn,
    output: Type,
    rules: Vec<Rule>,
}

/// One attribute.
struct Rule {
    forgets: Vec<Forgets>,
    update: Option<Update>,
    /// The cache to use, if not the global one.
    cache: Option<Expr>,
    /// Also after `Err` and `None`.
    always: bool,
    /// `on_error = return`, where it is written.
    hands_out: Option<Ident>,
}

/// What is invalidated.
struct Forgets {
    aim: Aim,
    template: Template,
}

#[derive(Clone, Copy, PartialEq)]
enum Aim {
    Key,
    Tag,
    Pattern,
}

/// What is stored.
struct Update {
    key: Template,
    ttl: Time,
    swr: Option<Time>,
    sie: Option<Time>,
    tags: Vec<Template>,
    version: Option<Expr>,
}

/// The function with what the attribute of this kind says, and those of its siblings below it. After a mistake it is as
/// its author wrote it, without them: each mistake is told of once.
pub(crate) fn function(kind: Kind, attributes: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let mut function = check::function(kind, item)?;
    let expansion = attr::rules(kind, attributes, &mut function)
        .and_then(|rules| check::check(rules, function.clone()))
        .map(|model| expand::expand(&model));
    Ok(expansion.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote!(#function #error)
    }))
}
