//! The companions of a cached function: `key`, `invalidate`, `mark_stale`, `peek`, `prime`, `refresh`, `warm` and
//! `uncached`. Each takes those arguments that it needs.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, Generics, Ident, Type, parse_quote};

use crate::{
    argument::Argument,
    expand::{
        builder, cfg, chosen_run, handle, key_turbofish, key_writes, local, make_key, own_argument,
        plain_signature, policy, run, run_call, take_apart,
    },
    generics, judge,
    model::{Home, Model, Uses},
    named,
    receiver::Receiver,
};

/// All of them but `uncached`, as functions of an `impl`, each as visible as the function itself.
pub(crate) fn companions(model: &Model, facade: &TokenStream) -> TokenStream {
    let parts = [
        hidden(model, facade),
        key(model, facade),
        strikes(model, facade),
        peek(model, facade),
        prime(model, facade),
        refresh(model, facade),
    ];
    let warm = warm(model, facade);
    quote!(#(#parts)* #warm)
}

/// What the function and its companions have in common: the key of its arguments, the shape of what it returns, and the
/// call into the library.
fn hidden(model: &Model, facade: &TokenStream) -> TokenStream {
    let arguments: Vec<_> =
        model.arguments.iter().filter(|argument| model.needs(argument, |uses| uses.key)).collect();
    let (names, types) = (arguments.iter().map(|argument| &argument.name), arguments.iter().map(|a| &a.ty));
    let constants = model.constants(|uses| uses.key);
    let generics = generics::needed_with(&model.function.sig.generics, types.clone(), &constants);
    let lent = types.map(|ty| match ty {
        // `&impl A + B` could be read in two ways.
        Type::ImplTrait(bounds) if bounds.bounds.len() > 1 => quote!((#ty)),
        ty => quote!(#ty),
    });
    let clause = &generics.where_clause;
    let receiver = model.receiver.as_ref().map(|_| quote!(&self,));
    let parts = take_apart(model, |uses| uses.key);
    let (name, builder, writes) = (model.companion("__key"), builder(), key_writes(model, facade));
    let (shape, run, around) = (judge::shape_function(model, facade), run(model, facade), around(model));
    quote! {
        #around
        #[inline]
        fn #name #generics (#receiver #(#names: &#lent,)* #builder: &mut #facade::KeyBuilder) #clause {
            #parts
            #writes
        }

        #around
        #[inline]
        #shape

        #around
        #[inline]
        #run
    }
}

fn key(model: &Model, facade: &TokenStream) -> TokenStream {
    let needs = |uses: Uses| uses.key;
    Companion {
        what: "key",
        doc: "The key of what `{}` returns for these arguments.",
        output: quote!(#facade::Key),
        body: make_key(model, facade),
        ..Companion::new(&needs)
    }
    .tokens(model)
}

/// The key, in a companion that takes what `needs` says: from its sister, to which the arguments go, if nothing else needs
/// them.
fn key_of(model: &Model, facade: &TokenStream, needs: impl Fn(Uses) -> bool) -> TokenStream {
    let names: Vec<_> = model.receiver.iter().map(Receiver::name).collect();
    let of_arguments = model.arguments.iter().flat_map(|argument| &argument.bindings);
    if names.iter().chain(of_arguments).any(|name| needs(Uses { key: false, ..model.uses(name) })) {
        return make_key(model, facade);
    }
    let path = model.path_to("key");
    let needed = model.arguments.iter().filter(|argument| model.needs(argument, |uses| uses.key));
    let arguments = names.iter().chain(needed.map(|argument| &argument.name));
    let turbofish = key_turbofish(model);
    quote!(#path #turbofish (#(#arguments),*))
}

fn strikes(model: &Model, facade: &TokenStream) -> TokenStream {
    let strike = |what, doc| {
        let needs = |uses: Uses| uses.key || uses.cache;
        let key = key_of(model, facade, needs);
        let (cache, strike) = (handle(model, facade), format_ident!("{what}"));
        Companion {
            what,
            doc,
            output: quote!(#facade::Reply<'static, ()>),
            body: quote!(#facade::__private::#strike(#cache, #key)),
            ..Companion::new(&needs)
        }
        .tokens(model)
    };
    let invalidate = strike("invalidate", "Forgets what `{}` returned for these arguments.");
    let mark_stale = strike("mark_stale", "What `{}` returned for these arguments is stale from now on.");
    quote!(#invalidate #mark_stale)
}

fn peek(model: &Model, facade: &TokenStream) -> TokenStream {
    let needs = |uses: Uses| uses.key || uses.cache;
    let (key, cache, shape) = (key_of(model, facade, needs), handle(model, facade), judge::shape_call(model));
    let (output, version) = (&model.output, model.policy.version());
    Companion {
        what: "peek",
        doc: "What `{}` would return at once; nothing is loaded.",
        output: quote!(#facade::Reply<'static, ::core::option::Option<#output>>),
        body: quote!(#shape.peek(#cache, #key, #version)),
        speaks_of: Some(output),
        ..Companion::new(&needs)
    }
    .tokens(model)
}

fn prime(model: &Model, facade: &TokenStream) -> TokenStream {
    let needs = |uses: Uses| uses.key || uses.cache || uses.policy;
    let (key, cache, shape) = (key_of(model, facade, needs), handle(model, facade), judge::shape_call(model));
    let (output, value, policy) = (&model.output, own_argument("value"), policy(model, facade));
    let returned = quote!(#facade::__private::Returns::returned(#value));
    let judge::Judge { before, judged } = judge::judge(model, facade, &returned);
    Companion {
        what: "prime",
        doc: "Stores a value as if `{}` had returned it.",
        output: quote!(#facade::Reply<'static, ()>),
        body: quote! {
            #before
            #shape.prime(#cache, #key, #policy, #judged)
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
        let (all, constants) = (&model.function.sig.generics, model.constants(needs));
        let generics = generics::needed_with(all, types.clone().chain(speaks_of), &constants);
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

/// What stands above each companion.
fn head(model: &Model, doc: &str) -> TokenStream {
    let (doc, around) = (doc.replace("{}", &model.function.sig.ident.to_string()), around(model));
    quote!(#[doc = #doc] #around)
}

/// What is said of each function beside a method, and of the `impl` around those beside a free function.
fn around(model: &Model) -> Option<TokenStream> {
    let (cfg, lints) = (cfg(&model.function.attrs), lints());
    (model.home == Home::Method).then(|| quote!(#(#cfg)* #lints))
}

/// Nothing in a companion is its author's but its arguments, which are not its author's to change here.
pub(crate) fn lints() -> TokenStream {
    quote!(#[allow(dead_code, clippy::all, clippy::pedantic, clippy::nursery)])
}

fn refresh(model: &Model, facade: &TokenStream) -> TokenStream {
    let mut signature = plain_signature(model);
    signature.ident = model.companion("refresh");
    let head = head(model, "Runs `{}` whatever is cached, and caches what it returns.");
    let vis = &model.function.vis;
    let this = model.receiver.as_ref().map(|receiver| receiver.name().into_token_stream());
    let run = run_call(model, this.as_ref(), &quote!(#facade::__private::Ask::Anew));
    let await_it = model.is_async().then(|| quote!(.await));
    quote! {
        #head
        #vis #signature {
            #run #await_it
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
    let names: Vec<_> = model.arguments.iter().map(|argument| &argument.name).collect();
    let mut types: Vec<Type> = model.arguments.iter().map(|argument| argument.ty.clone()).collect();
    named::name(&mut types, &mut signature.generics);
    let (item, name) = match (types.as_slice(), names.as_slice()) {
        ([ty], [name]) => (quote!(#ty), quote!(#name)),
        (types, names) => (quote!((#(#types),*)), quote!((#(#names),*))),
    };
    let (items, concurrency, shape) =
        (own_argument("items"), own_argument("concurrency"), judge::shape_call(model));
    let (run, sent) = if model.is_async() {
        let run = chosen_run(model, facade, again.as_ref());
        (quote!(#shape.warm(#items, #concurrency, |#name| #run).await), None)
    } else {
        let this = local("this").into_token_stream();
        let (with, given, this) = match tokens {
            Some(_) => (quote!(self), quote!(#this: _), Some(this)),
            None => (quote!(()), quote!((): ()), None),
        };
        let run = chosen_run(model, facade, this.as_ref());
        let call = quote!(|#given, #name| #run);
        (quote!(#facade::__private::warm_sync(#with, #items, #concurrency, #shape, #call)), Some(tokens))
    };
    let ty = items_type(&item, sent, &mut signature.generics);
    let head = head(model, "Calls `{}` with each of these, so many at a time.");
    let (vis, what, generics) = (&model.function.vis, model.companion("warm"), &signature.generics);
    let (clause, receiver) = (&generics.where_clause, tokens.map(|tokens| quote!(#tokens,)));
    let asyncness = &signature.asyncness;
    Some(quote! {
        #head
        #vis #asyncness fn #what #generics (
            #receiver #items: #ty, #concurrency: usize
        ) -> #facade::Progress #clause {
            #run
        }
    })
}

/// The type of what is iterated over. A synchronous warm-up is `sent` to threads, together with the receiver.
fn items_type(
    item: &TokenStream,
    sent: Option<Option<&syn::Receiver>>,
    generics: &mut Generics,
) -> TokenStream {
    let items = quote!(::core::iter::IntoIterator<Item = #item>);
    let receiver = match sent {
        None => return quote!(impl #items),
        Some(None) => {
            return quote!(impl ::core::iter::IntoIterator<Item = #item, IntoIter: ::core::marker::Send>);
        }
        Some(Some(receiver)) => receiver,
    };
    let mut this = (*receiver.ty).clone();
    if let Type::Reference(lent) = &mut this {
        lent.lifetime = Some(parse_quote!('__larder));
    }
    let ty = format_ident!("__Items");
    generics.params.push(parse_quote!(#ty));
    let clause = generics.make_where_clause();
    clause.predicates.push(parse_quote!(#ty: #items));
    clause.predicates.push(parse_quote!(for<'__larder> (#this, #ty::IntoIter): ::core::marker::Send));
    ty.into_token_stream()
}

/// The function as its author wrote it. That the body lives here, in a function of its own, is what makes an
/// early `return`, `?` and arguments of any name work. The lints allowed are about its interface, which here is
/// not its author's to change.
pub(crate) fn uncached(model: &Model) -> TokenStream {
    let mut function = model.function.clone();
    let doc = format!("Runs `{}` itself; no cache is asked or filled.", function.sig.ident);
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
    let unused_self = model.receiver.as_ref().map(|_| quote!(clippy::unused_self,));
    quote! {
        #[doc = #doc]
        #[allow(
            dead_code,
            clippy::missing_const_for_fn,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            clippy::must_use_candidate,
            clippy::needless_pass_by_value,
            #unused_self
        )]
        #function
    }
}

/// Lint levels are meant for the body, and go where it goes.
fn is_lint(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level))
}
