//! The model into tokens. What is generated stays small: the function is one call into the library, its body
//! moves into the companion `uncached` as it was written, and what differs between return types is told by
//! type, in `larder::__private::shape`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{format_ident, quote, quote_spanned};
use syn::{Expr, FnArg, Pat, Signature, spanned::Spanned};

use crate::{
    companion,
    duration::Time,
    generics, krate, mentions,
    model::Model,
    template::{Piece, Template},
};

/// The cached function and its companions.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let facade = krate::facade();
    let function = function(model, &facade);
    let companions = companion::companions(model, &facade);
    quote!(#function #companions)
}

fn function(model: &Model, facade: &TokenStream) -> TokenStream {
    let attributes = companion::outer_attributes(&model.function.attrs);
    let vis = &model.function.vis;
    let signature = plain_signature(&model.function.sig);

    let key = format_ident!("__larder_key", span = Span::mixed_site());
    let key_value = template(&model.key, facade);
    let shape = shape(model, facade);
    let plan = plan(model, facade);
    let cache = model.cache.as_ref().map(|cache| handle(model, cache, facade)).into_iter();
    let call = call(model, facade, &quote!(#(#cache,)* &#key, #shape, #plan));
    quote! {
        #(#attributes)*
        #vis #signature {
            let #key = #key_value;
            #call
        }
    }
}

/// The call of the library function that does the work. With `swr`, it asks for a load that can run in the
/// background: one that cannot is to be blamed on `swr`.
fn call(model: &Model, facade: &TokenStream, arguments: &TokenStream) -> TokenStream {
    let asyncness = &model.function.sig.asyncness;
    let kind = if asyncness.is_some() { "async" } else { "sync" };
    let global = if model.cache.is_some() { "" } else { "_global" };
    let at = model.swr.as_ref().map_or_else(Span::call_site, |swr| at(swr.span()));
    let entry = format_ident!("cached_{kind}{global}", span = at);
    let facade = moved(facade, at);
    let await_it = asyncness.map(|_| quote_spanned!(at=> .await));
    quote_spanned!(at=> #facade::__private::#entry(#arguments) #await_it)
}

/// The cache. One that lives in an argument taken by value is cloned (a handle is cheap to clone), since the
/// body takes that argument with it.
pub(crate) fn handle(model: &Model, cache: &Expr, facade: &TokenStream) -> TokenStream {
    let handle = borrowed_handle(cache, facade);
    let owned = model.arguments.iter().any(|argument| argument.in_cache && !mentions::borrows(&argument.ty));
    if owned { quote!(&#facade::__private::Engine::clone(#handle)) } else { handle }
}

/// The cache that the expression `cache` gives, itself or by reference.
pub(crate) fn borrowed_handle(cache: &Expr, facade: &TokenStream) -> TokenStream {
    let at = at(cache.span());
    quote_spanned!(at=> ::core::convert::identity::<&#facade::__private::Engine>(&(#cache)))
}

/// How the value travels between the function and the cache.
fn shape(model: &Model, facade: &TokenStream) -> TokenStream {
    let output = &model.output;
    let at = at(output.span());
    let facade = moved(facade, at);
    quote_spanned!(at=> #facade::__larder_shape!(#output))
}

/// What a miss needs, as a closure, so that a hit builds none of it: the policy, then the load, which takes
/// the arguments.
fn plan(model: &Model, facade: &TokenStream) -> TokenStream {
    let Signature { ident, generics, asyncness, .. } = &model.function.sig;
    let names = model.arguments.iter().map(|argument| &argument.name);
    let turbofish = generics::turbofish(generics);
    let run = quote!(#ident::uncached #turbofish (#(#names),*));
    let load = if asyncness.is_some() { run } else { quote!(move || #run) };
    let policy = policy(model, facade);
    quote!(move || (#policy, #load))
}

pub(crate) fn policy(model: &Model, facade: &TokenStream) -> TokenStream {
    let ttl = time(&model.ttl);
    let swr = model.swr.as_ref().map(time).map(|swr| quote!(.swr(#swr)));
    let sie = model.sie.as_ref().map(time).map(|sie| quote!(.sie(#sie)));
    let tags = (!model.tags.is_empty()).then(|| {
        let tags = model.tags.iter().map(|tag| template(tag, facade));
        quote!(.tags([#(#tags),*]))
    });
    // Without `swr` nothing runs in the background, so the load may borrow from its caller.
    let in_caller = model.swr.is_none().then(|| quote!(.in_caller()));
    quote!(#facade::__private::Policy::ttl(#ttl) #swr #sie #tags #in_caller)
}

pub(crate) fn time(time: &Time) -> TokenStream {
    match time {
        Time::Computed(expression) => quote!(#expression),
        Time::Literal(duration, _) => {
            let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
            quote!(::core::time::Duration::new(#seconds, #nanos))
        }
    }
}

/// An expression that makes the key or tag from the arguments, which it borrows.
pub(crate) fn template(template: &Template, facade: &TokenStream) -> TokenStream {
    let builder = format_ident!("__larder_builder", span = Span::mixed_site());
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(#builder.text(#text);),
        Piece::Place(place) => {
            let at = at(place.blame());
            quote_spanned!(at=> #builder.part(&#place);)
        }
    });
    quote!({
        let mut #builder = #facade::__private::KeyBuilder::new();
        #(#pieces)*
        #builder.finish()
    })
}

/// A span for tokens of ours that are to be blamed on what their author wrote at `place`.
pub(crate) fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// The path `tokens`, with another span.
fn moved(tokens: &TokenStream, span: Span) -> TokenStream {
    let moved = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.clone().into_iter().map(moved).collect()
}

/// The signature with bare names for its arguments: `mut` is the body's affair.
pub(crate) fn plain_signature(signature: &Signature) -> Signature {
    let mut plain = signature.clone();
    for input in &mut plain.inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(pat) = &mut *typed.pat
        {
            pat.mutability = None;
        }
    }
    plain
}
