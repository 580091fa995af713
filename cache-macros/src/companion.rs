//! The companions: `name::key`, `name::invalidate`, `name::uncached`. They hang on an empty `enum` of the
//! function's name, which lives beside the function in the namespace of types, at module level as well as
//! inside functions.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Ident, Meta, parse_quote};

use crate::{
    expand::{borrowed_handle, template},
    generics,
    model::{Argument, Model},
};

/// The `enum` and its inherent functions, as visible as the function itself.
pub(crate) fn companions(model: &Model, facade: &TokenStream) -> TokenStream {
    let vis = &model.function.vis;
    let name = &model.function.sig.ident;
    let doc = format!("Companions of the cached function `{name}`.");
    let key = key(model, facade);
    let invalidate = invalidate(model, facade);
    let uncached = uncached(model);
    quote! {
        #[doc = #doc]
        #[allow(dead_code, non_camel_case_types)]
        #vis enum #name {}

        impl #name {
            #key
            #invalidate
            #uncached
        }
    }
}

fn key(model: &Model, facade: &TokenStream) -> TokenStream {
    let doc =
        format!("The key under which `{}` caches the value for these arguments.", model.function.sig.ident);
    let key = template(&model.key, facade);
    let output = quote!(#facade::__private::Key);
    companion(model, &parse_quote!(key), &doc, |argument| argument.in_key, &output, &key)
}

fn invalidate(model: &Model, facade: &TokenStream) -> TokenStream {
    let doc =
        format!("Makes the cache forget what `{}` returned for these arguments.", model.function.sig.ident);
    let key = template(&model.key, facade);
    let body = match &model.cache {
        Some(cache) => {
            let cache = borrowed_handle(cache, facade);
            quote!(#facade::__private::invalidate(#cache, &#key))
        }
        None => quote!(#facade::__private::invalidate_global(&#key)),
    };
    let output = quote!(#facade::__private::Reply<'static, ()>);
    companion(
        model,
        &parse_quote!(invalidate),
        &doc,
        |argument| argument.in_key || argument.in_cache,
        &output,
        &body,
    )
}

/// A companion that takes only the arguments it needs.
pub(crate) fn companion(
    model: &Model,
    name: &Ident,
    doc: &str,
    needs: impl Fn(&Argument) -> bool,
    output: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let vis = &model.function.vis;
    let arguments: Vec<_> = model.arguments.iter().filter(|argument| needs(argument)).collect();
    let names = arguments.iter().map(|argument| &argument.name);
    let types = arguments.iter().map(|argument| &argument.ty);
    let generics =
        generics::needed(&model.function.sig.generics, arguments.iter().map(|argument| &argument.ty));
    let clause = &generics.where_clause;
    quote! {
        #[doc = #doc]
        #[allow(
            dead_code,
            clippy::missing_const_for_fn,
            clippy::must_use_candidate,
            clippy::needless_pass_by_value
        )]
        #vis fn #name #generics (#(#names: #types),*) -> #output #clause {
            #body
        }
    }
}

/// The function as its author wrote it. That the body lives here, in a function of its own, is what makes an
/// early `return`, `?` and arguments of any name work. The lints allowed are about its interface, which here is
/// not its author's to change.
pub(crate) fn uncached(model: &Model) -> TokenStream {
    let mut function = model.function.clone();
    let doc = format!("Runs `{}` itself: asks no cache, and caches nothing.", function.sig.ident);
    function.attrs.retain(is_lint);
    function.sig.ident = parse_quote!(uncached);
    // An argument that only `cache` names is used, though not by the body.
    for Argument { name, .. } in model.arguments.iter().filter(|argument| argument.in_cache) {
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
            clippy::needless_pass_by_value
        )]
        #function
    }
}

/// The attributes for the function that callers see: all that its author gave it. A lint expected of the body
/// cannot be fulfilled here, and is only allowed.
pub(crate) fn outer_attributes(attributes: &[Attribute]) -> Vec<Attribute> {
    let mut outer = attributes.to_vec();
    for attribute in &mut outer {
        if let (true, Meta::List(list)) = (attribute.path().is_ident("expect"), &mut attribute.meta) {
            list.path = parse_quote!(allow);
        }
    }
    outer
}

/// Lint levels are meant for the body, and go where it goes.
fn is_lint(attribute: &Attribute) -> bool {
    ["allow", "expect", "warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level))
}
