//! The companions of a cached function: `key`, `invalidate`, `mark_stale`, `peek`, `prime`, `refresh`, `warm` and
//! `uncached`. Each takes those arguments that it needs.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Ident, Type, parse_quote};

use crate::{
    argument::Argument,
    expand::{call, cfg, handle, key_call, key_value, local, plain_signature, policy, take_apart},
    generics, judge,
    model::{Model, Uses},
    named,
};

/// All of them, as functions of an `impl`, each as visible as the function itself.
pub(crate) fn companions(model: &Model, facade: &TokenStream) -> TokenStream {
    let parts = [
        hidden(model, facade),
        key(model, facade),
        strikes(model, facade),
        peek(model, facade),
        prime(model, facade),
        refresh(model, facade),
    ];
    let (warm, uncached) = (warm(model, facade), uncached(model));
    quote!(#(#parts)* #warm #uncached)
}

/// What the function and its companions have in common: the key of its arguments, and the shape of what it returns.
fn hidden(model: &Model, facade: &TokenStream) -> TokenStream {
    let arguments: Vec<_> =
        model.arguments.iter().filter(|argument| model.needs(argument, |uses| uses.key)).collect();
    let (names, types) = (arguments.iter().map(|argument| &argument.name), arguments.iter().map(|a| &a.ty));
    let generics = generics::needed(&model.function.sig.generics, types.clone());
    let lent = types.map(|ty| match ty {
        // `&impl A + B` could be read in two ways.
        Type::ImplTrait(bounds) if bounds.bounds.len() > 1 => quote!((#ty)),
        ty => quote!(#ty),
    });
    let clause = &generics.where_clause;
    let receiver = model.receiver.as_ref().map(|_| quote!(&self,));
    let parts = take_apart(model, |uses| uses.key);
    let (name, value, shape) =
        (model.companion("__key"), key_value(model, facade), judge::shape_function(model, facade));
    let cfg: Vec<_> = cfg(&model.function.attrs).collect();
    quote! {
        #(#cfg)*
        #[inline]
        #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
        fn #name #generics (#receiver #(#names: &#lent),*) -> #facade::__private::Key #clause {
            #parts
            #value
        }

        #(#cfg)*
        #shape
    }
}

fn key(model: &Model, facade: &TokenStream) -> TokenStream {
    let key = key_call(model);
    let needs = |uses: Uses| uses.key;
    Companion {
        what: "key",
        doc: "The key under which `{}` caches the value for these arguments.",
        output: quote!(#facade::__private::Key),
        body: quote!(#key),
        ..Companion::new(&needs)
    }
    .tokens(model)
}

fn strikes(model: &Model, facade: &TokenStream) -> TokenStream {
    let strike = |what, doc, strength: TokenStream| {
        let (key, cache) = (key_call(model), handle(model, facade));
        let needs = |uses: Uses| uses.key || uses.cache;
        Companion {
            what,
            doc,
            output: quote!(#facade::__private::Reply<'static, ()>),
            body: quote!(#facade::__private::strike(#cache, &#key, #facade::__private::Strength::#strength)),
            ..Companion::new(&needs)
        }
        .tokens(model)
    };
    let invalidate = strike(
        "invalidate",
        "Makes the cache forget what `{}` returned for these arguments: no later call is given it.",
        quote!(Remove),
    );
    let mark_stale = strike(
        "mark_stale",
        "What `{}` returned for these arguments is no longer fresh; it may still stand in under `swr` and `sie`.",
        quote!(MarkStale),
    );
    quote!(#invalidate #mark_stale)
}

fn peek(model: &Model, facade: &TokenStream) -> TokenStream {
    let (key, cache, shape) = (key_call(model), handle(model, facade), judge::shape_call(model));
    let (output, version) = (&model.output, model.policy.version());
    let needs = |uses: Uses| uses.key || uses.cache;
    Companion {
        what: "peek",
        doc: "What `{}` would return at once for these arguments; nothing is loaded.",
        output: quote!(#facade::__private::Reply<'static, ::core::option::Option<#output>>),
        body: quote!(#facade::__private::peek(#cache, &#key, #version, #shape)),
        speaks_of: Some(output),
        ..Companion::new(&needs)
    }
    .tokens(model)
}

fn prime(model: &Model, facade: &TokenStream) -> TokenStream {
    let (key, cache, shape) = (key_call(model), handle(model, facade), judge::shape_call(model));
    let (output, value, policy) = (&model.output, local("primed"), policy(model, facade));
    let returned = quote!(#facade::__private::Returns::<#output>::returned(#value));
    let judge::Judge { before, judged } = judge::judge(model, facade, &returned);
    let needs = |uses: Uses| uses.key || uses.cache || uses.policy;
    Companion {
        what: "prime",
        doc: "Stores a value as if `{}` had returned it for these arguments.",
        output: quote!(#facade::__private::Reply<'static, ()>),
        body: quote! {
            #before
            #facade::__private::prime(#cache, &#key, #policy, #shape, #judged)
        },
        speaks_of: Some(output),
        more: quote!(#value: impl #facade::__private::Returns<#output>),
        ..Companion::new(&needs)
    }
    .tokens(model)
}

/// A companion that takes only the arguments it needs.
pub(crate) struct Companion<'c> {
    pub(crate) what: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) needs: &'c dyn Fn(Uses) -> bool,
    pub(crate) output: TokenStream,
    /// A type in `output`, beside those of the arguments.
    pub(crate) speaks_of: Option<&'c Type>,
    /// An argument of its own.
    pub(crate) more: TokenStream,
    pub(crate) body: TokenStream,
}

impl<'c> Companion<'c> {
    pub(crate) fn new(needs: &'c dyn Fn(Uses) -> bool) -> Self {
        let (output, more, body) = Default::default();
        Self { what: "", doc: "", needs, output, speaks_of: None, more, body }
    }

    pub(crate) fn tokens(self, model: &Model) -> TokenStream {
        let Self { what, doc, needs, output, speaks_of, more, body } = self;
        let needed = |argument: &&Argument| model.needs(argument, needs);
        let arguments: Vec<_> = model.arguments.iter().filter(needed).collect();
        let receiver = model.receiver.as_ref().map(|_| quote!(&self,));
        let (names, types) =
            (arguments.iter().map(|argument| &argument.name), arguments.iter().map(|a| &a.ty));
        let generics = generics::needed(&model.function.sig.generics, types.clone().chain(speaks_of));
        let clause = &generics.where_clause;
        let parts = take_apart(model, |uses| needs(Uses { key: false, ..uses }));
        let (head, name, vis) = (head(model, doc), model.companion(what), &model.function.vis);
        quote! {
            #head
            #vis fn #name #generics (#receiver #(#names: #types,)* #more) -> #output #clause {
                #parts
                #body
            }
        }
    }
}

/// What stands above each companion. Nothing in it is its author's but its arguments, which are not its author's to
/// change here.
fn head(model: &Model, doc: &str) -> TokenStream {
    let doc = doc.replace("{}", &model.function.sig.ident.to_string());
    let cfg = cfg(&model.function.attrs);
    quote! {
        #(#cfg)*
        #[doc = #doc]
        #[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery)]
    }
}

fn refresh(model: &Model, facade: &TokenStream) -> TokenStream {
    let mut signature = plain_signature(model);
    signature.ident = model.companion("refresh");
    let head = head(model, "Runs `{}` whatever is cached, and caches what it returns.");
    let vis = &model.function.vis;
    let body = call(model, facade, Some(quote!(#facade::__private::Ask::Anew)));
    quote! {
        #head
        #vis #signature {
            #body
        }
    }
}

/// A method that uses up its `self` has none, as it could be called but once.
fn warm(model: &Model, facade: &TokenStream) -> Option<TokenStream> {
    let receiver = match &model.receiver {
        Some(receiver) => Some((&receiver.tokens, receiver.again()?)),
        None => None,
    };
    let (tokens, again) = receiver.unzip();
    let mut signature = plain_signature(model);
    // None of the arguments' own names, of which one may be the function's.
    let names: Vec<_> = (0..model.arguments.len()).map(|index| local(&index.to_string())).collect();
    let mut types: Vec<Type> = model.arguments.iter().map(|argument| argument.ty.clone()).collect();
    named::name(&mut types, &mut signature.generics);
    let (item, name) = match (types.as_slice(), names.as_slice()) {
        ([ty], [name]) => (quote!(#ty), quote!(#name)),
        (types, names) => (quote!((#(#types),*)), quote!((#(#names),*))),
    };
    let (items, concurrency, shape) = (local("items"), local("concurrency"), judge::shape_call(model));
    let (function, turbofish) = (path(model), generics::turbofish(&model.function.sig.generics));
    let (this, ty, arguments) =
        (local("this"), format_ident!("__Items"), names.iter().map(|name| quote!(#name)));
    signature.generics.params.push(parse_quote!(#ty));
    let clause = signature.generics.make_where_clause();
    clause.predicates.push(parse_quote!(#ty: ::core::iter::IntoIterator<Item = #item>));
    let run = if model.is_async() {
        let arguments = again.into_iter().chain(arguments);
        quote!(#facade::__private::warm(#items, #concurrency, #shape, |#name| #function #turbofish (#(#arguments),*)).await)
    } else {
        let (sent, with, first) = sent(tokens, &this);
        let (this, given) =
            if first.is_some() { (quote!(#this), quote!(_)) } else { (quote!(()), quote!(())) };
        clause.predicates.push(parse_quote!(for<'__larder> (#sent, #ty::IntoIter): ::core::marker::Send));
        let arguments = first.into_iter().chain(arguments);
        let items = quote!(::core::iter::IntoIterator::into_iter(#items));
        quote! {
            #facade::__private::warm_sync(#with, #items, #concurrency, #shape, |#this: #given, #name| {
                #function #turbofish (#(#arguments),*)
            })
        }
    };
    let head =
        head(model, "Calls `{}` with each of these arguments, so many at a time, and says how it went.");
    let (vis, what, generics) = (&model.function.vis, model.companion("warm"), &signature.generics);
    let (clause, receiver) = (&generics.where_clause, tokens.map(|tokens| quote!(#tokens,)));
    let asyncness = &signature.asyncness;
    Some(quote! {
        #head
        #vis #asyncness fn #what #generics (
            #receiver
            #items: #ty,
            #concurrency: usize,
        ) -> #facade::__private::Progress #clause {
            #run
        }
    })
}

/// What goes to the threads of a synchronous warm-up beside the arguments: its type, its value, and what each call is
/// given of it.
fn sent(receiver: Option<&syn::Receiver>, this: &Ident) -> (TokenStream, TokenStream, Option<TokenStream>) {
    match receiver {
        None => (quote!(()), quote!(()), None),
        Some(receiver) => {
            let mut ty = (*receiver.ty).clone();
            if let Type::Reference(lent) = &mut ty {
                lent.lifetime = Some(parse_quote!('__larder));
            }
            (quote!(#ty), quote!(self), Some(quote!(#this)))
        }
    }
}

/// The function itself, from beside its companions.
fn path(model: &Model) -> TokenStream {
    let name = &model.function.sig.ident;
    if model.home == crate::model::Home::Method { quote!(Self::#name) } else { quote!(#name) }
}

/// The function as its author wrote it. That the body lives here, in a function of its own, is what makes an
/// early `return`, `?` and arguments of any name work. The lints allowed are about its interface, which here is
/// not its author's to change.
pub(crate) fn uncached(model: &Model) -> TokenStream {
    let mut function = model.function.clone();
    let doc = format!("Runs `{}` itself: asks no cache, and caches nothing.", function.sig.ident);
    function.attrs.retain(|attribute| is_lint(attribute) || attribute.path().is_ident("cfg"));
    function.sig.ident = model.companion("uncached");
    // An argument that only the attribute names is used, though not by the body.
    let names = model.arguments.iter().flat_map(|argument| &argument.bindings);
    let used = |name: &&Ident| {
        let Uses { cache, choice, policy, .. } = model.uses(name);
        cache || choice || policy
    };
    for name in names.filter(used) {
        function.block.stmts.insert(0, parse_quote!(let _ = &#name;));
    }
    quote! {
        #[doc = #doc]
        #[allow(
            dead_code,
            clippy::missing_const_for_fn,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            clippy::must_use_candidate,
            clippy::needless_pass_by_value,
            clippy::unused_self
        )]
        #function
    }
}

/// Lint levels are meant for the body, and go where it goes.
fn is_lint(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level))
}
