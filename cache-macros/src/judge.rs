//! What the attribute says of each value once it is there: a TTL and a choice by closures, tags that speak of `ret`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use crate::{
    expand::{asked, at, local, moved},
    generics,
    model::Model,
    policy::Ttl,
    template::{Piece, Template},
};

/// See [`judge`].
pub(crate) struct Judge {
    /// What is taken down of the arguments before the function takes them.
    pub(crate) before: TokenStream,
    /// What the load gives.
    pub(crate) judged: TokenStream,
}

/// How the value travels between the function and the cache.
pub(crate) fn shape_call(model: &Model) -> TokenStream {
    let generics = generics::needed(&model.function.sig.generics, std::iter::once(&model.output));
    let (path, turbofish) = (model.path_to("__shape"), generics::turbofish(&generics));
    quote!(#path #turbofish ())
}

/// The function that says so, and says nothing of the type that is cached but that it can be.
pub(crate) fn shape_function(model: &Model, facade: &TokenStream) -> TokenStream {
    let generics = generics::needed(&model.function.sig.generics, std::iter::once(&model.output));
    let (name, clause, output) = (model.companion("__shape"), &generics.where_clause, &model.output);
    let judged = model.judges().then(|| quote!(#facade::__private::Judged<#output>));
    let (shape, at) = (shape(model, facade), at(output.span()));
    let (facade, load) = (moved(facade, at), judged.unwrap_or_else(|| quote!(#output)));
    let returns = quote_spanned!(at=> #facade::__private::Shape<impl #facade::Cacheable, #load, #output>);
    quote! {
        fn #name #generics () -> #returns #clause {
            #shape
        }
    }
}

fn shape(model: &Model, facade: &TokenStream) -> TokenStream {
    let output = &model.output;
    let (at, probe) = (at(output.span()), self::local("probe"));
    let facade = moved(facade, at);
    let step = |step: &str| {
        let step = Ident::new(step, at);
        quote_spanned!(at=> .then(#facade::__private::shape::#step))
    };
    let local = model.local.as_ref().map(|_| step("in_process"));
    // Before `local`, whose forms all have a `None`.
    let negative = model.policy.given("negative_ttl").map(|_| step("negative"));
    let shape = if model.judges() { quote!(judged) } else { quote!(shape) };
    let shape = moved(&shape, at);
    // The traits ask for what is told by type.
    quote_spanned! {at=>
        use #facade::__private::shape::answers::*;
        let #probe = #facade::__private::shape::Probe::<#output>::NEW;
        (&&&#probe).form() #negative #local.#shape(#probe.share())
    }
}

/// Tokens of ours that are to be blamed on the return type: where several can be, they are blamed once.
pub(crate) fn of_output(
    model: &Model,
    facade: &TokenStream,
    tokens: impl FnOnce(&TokenStream) -> TokenStream,
) -> TokenStream {
    let at = at(model.output.span());
    let facade = moved(facade, at);
    moved(&tokens(&facade), at)
}

/// `returned`, and what is to be done with it.
pub(crate) fn judge(model: &Model, facade: &TokenStream, returned: &TokenStream) -> Judge {
    if !model.judges() {
        return Judge { before: TokenStream::new(), judged: returned.clone() };
    }
    let (value, output) = (local("value"), &model.output);
    let mut keep = quote!(#facade::__private::Keep::new());
    if let Some(Ttl::Of(closure)) = &model.policy.ttl {
        let ttl = asked(facade, &value, closure);
        keep.extend(quote!(.ttl(#ttl)));
    }
    if let Some(when) = &model.policy.when {
        let when = asked(facade, &value, when);
        keep.extend(quote!(.when(#when)));
    }
    let mut before = TokenStream::new();
    for (index, tag) in model.tags.iter().filter(|tag| tag.uses_result()).enumerate() {
        let tag = late(tag, &format!("tag{index}"), &value, facade, &mut before);
        keep.extend(quote!(.tag(#tag)));
    }
    let inside = captured(model, &mut before);
    let at = at(output.span());
    let form = moved(facade, at);
    let form = quote_spanned!(at=> #form::__larder_form!(#output));
    let judged = quote!(#form.judge(#returned, |#value| { #inside #keep }));
    Judge { before, judged }
}

/// What the closures take in of arguments that the function uses up: clones of them.
fn captured(model: &Model, before: &mut TokenStream) -> TokenStream {
    let mut inside = TokenStream::new();
    for argument in &model.arguments {
        for name in argument.bindings.iter().filter(|name| model.policy.closures_use(name)) {
            let copy = local(&format!("copy_{name}").replace("r#", ""));
            // What is taken apart is borrowed already.
            let at = at(name.span());
            let borrow = (!argument.is_taken_apart()).then(|| quote_spanned!(at=> &));
            let borrowed = quote!(#borrow #name);
            before.extend(quote_spanned!(at=> let #copy = ::core::clone::Clone::clone(#borrowed);));
            inside.extend(quote!(let #name = #copy;));
        }
    }
    inside
}

/// An expression for a tag that speaks of the result: what it says of the arguments is written down `before`.
fn late(
    tag: &Template,
    prefix: &str,
    value: &Ident,
    facade: &TokenStream,
    before: &mut TokenStream,
) -> TokenStream {
    let builder = local("builder");
    let pieces: Vec<_> = tag
        .pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| match piece {
            Piece::Text(text) => quote!(#builder.text(#text);),
            Piece::Place(place) if place.is_result => {
                let (fields, at) = (&place.fields, at(place.span));
                quote_spanned!(at=> #builder.part(&#value #(.#fields)*);)
            }
            Piece::Place(place) => {
                let text = local(&format_ident!("{prefix}_{index}").to_string());
                let at = at(place.span);
                let text_of = moved(&quote!(#facade::__private::text_of), at);
                before.extend(quote_spanned!(at=> let #text = #text_of(&#place);));
                quote!(#builder.text(&#text);)
            }
        })
        .collect();
    quote!({
        let mut #builder = #facade::KeyBuilder::new();
        #(#pieces)*
        #builder.finish()
    })
}
