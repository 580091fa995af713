//! What an expansion is made from: the function and the attribute, checked against each other.

use syn::{Expr, Ident, ItemFn, Type};

use crate::{duration::Time, template::Template};

/// A cached function. Every name in it is known to exist.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) function: ItemFn,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: Type,
    pub(crate) key: Template,
    pub(crate) tags: Vec<Template>,
    pub(crate) ttl: Time,
    pub(crate) swr: Option<Time>,
    pub(crate) sie: Option<Time>,
    /// The cache to use, if not the global one.
    pub(crate) cache: Option<Expr>,
}

/// An argument of the function.
#[derive(Clone)]
pub(crate) struct Argument {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// The key is made from it.
    pub(crate) in_key: bool,
    /// `cache = …` speaks of it.
    pub(crate) in_cache: bool,
}
