//! What an expansion is made from: the function and the attribute, checked against each other.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Expr, Ident, ItemFn, Type, ext::IdentExt};

use crate::{
    argument::Argument, attr::Options, mentions, policy::Policy, receiver::Receiver, template::Template,
};

/// A cached function. Every name in it is known to exist.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) function: ItemFn,
    pub(crate) home: Home,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) output: Type,
    pub(crate) key: Key,
    pub(crate) tags: Vec<Template>,
    pub(crate) policy: Policy,
    /// The cache to use, if not the global one.
    pub(crate) cache: Option<Expr>,
    pub(crate) bypass: Option<Expr>,
    pub(crate) refresh: Option<Expr>,
    /// The flag `local`.
    pub(crate) local: Option<Ident>,
    /// The flag `shared`.
    pub(crate) shared: Option<Ident>,
    /// Of a batch: the argument that holds its elements, of which the keys are made.
    pub(crate) elements: Option<Ident>,
}

/// Where the function stands.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Home {
    /// By itself: its companions hang on a type of its name.
    Free,
    /// In an `impl`: its companions stand beside it.
    Method,
}

/// What a key is made of.
#[derive(Clone)]
pub(crate) struct Key {
    /// Whether it begins with the path of the function, as no text was given.
    pub(crate) by_path: bool,
    pub(crate) template: Template,
}

/// What speaks of an argument.
#[derive(Clone, Copy, Default)]
pub(crate) struct Uses {
    pub(crate) key: bool,
    pub(crate) cache: bool,
    /// The policy, tags and closures.
    pub(crate) policy: bool,
    /// `bypass` and `refresh`.
    pub(crate) choice: bool,
}

impl Model {
    /// Of a function with this signature, and what the attribute says of it.
    pub(crate) fn new(
        function: ItemFn,
        home: Home,
        (receiver, arguments, output): (Option<Receiver>, Vec<Argument>, Type),
        key: Key,
        options: Options,
    ) -> Self {
        let Options { tags, policy, cache, bypass, refresh, local, shared, .. } = options;
        let elements = None;
        Self {
            function,
            home,
            receiver,
            arguments,
            output,
            key,
            tags,
            policy,
            cache,
            bypass,
            refresh,
            local,
            shared,
            elements,
        }
    }

    /// What speaks of the name `name`.
    pub(crate) fn uses(&self, name: &Ident) -> Uses {
        let in_expr = |expr: &Option<Expr>| {
            expr.as_ref().is_some_and(|expr| mentions::uses(expr.to_token_stream(), name))
        };
        Uses {
            key: self.key.template.names(name) || self.elements.as_ref() == Some(name),
            cache: in_expr(&self.cache),
            policy: self.policy.uses(name) || self.tags.iter().any(|tag| tag.names(name)),
            choice: in_expr(&self.bypass) || in_expr(&self.refresh),
        }
    }

    /// Whether one of the names in this argument is used as `wanted` says.
    pub(crate) fn needs(&self, argument: &Argument, wanted: impl Fn(Uses) -> bool) -> bool {
        argument.bindings.iter().any(|name| wanted(self.uses(name)))
    }

    /// The constants among the parameters that are used as `wanted` says. No argument tells them, so they are named in calls.
    pub(crate) fn constants(&self, wanted: impl Fn(Uses) -> bool) -> Vec<&Ident> {
        let constants = self.function.sig.generics.const_params().map(|param| &param.ident);
        constants.filter(|name| wanted(self.uses(name))).collect()
    }

    /// Whether something is said of each value, once it is there.
    pub(crate) fn judges(&self) -> bool {
        self.policy.judges() || self.tags.iter().any(Template::uses_result)
    }

    pub(crate) fn is_async(&self) -> bool {
        self.function.sig.asyncness.is_some()
    }

    /// The name that the companion `what` is declared by.
    pub(crate) fn companion(&self, what: &str) -> Ident {
        let name = &self.function.sig.ident;
        match self.home {
            Home::Free => Ident::new(what, name.span()),
            // Those that are nobody's business keep their mark in front.
            Home::Method => match what.strip_prefix("__") {
                Some(what) => format_ident!("__{}_{what}", name.unraw(), span = name.span()),
                None => format_ident!("{}_{what}", name.unraw(), span = name.span()),
            },
        }
    }

    /// The path of the companion `what`, from wherever the function is in sight.
    pub(crate) fn path_to(&self, what: &str) -> TokenStream {
        let (name, companion) = (&self.function.sig.ident, self.companion(what));
        match self.home {
            Home::Free => quote!(#name::#companion),
            Home::Method => quote!(Self::#companion),
        }
    }
}
