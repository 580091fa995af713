//! A batch into tokens: one call into the library, and the companions.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, parse_quote, spanned::Spanned};

use super::{Batch, Form};
use crate::{
    companion::{companion, outer_attributes, uncached},
    expand::{at, borrowed_handle, handle, plain_signature, policy, template},
    generics, krate,
    model::{Argument, Model},
};

/// The function and its companions.
pub(super) fn expand(batch: &Batch) -> TokenStream {
    let facade = krate::facade();
    let function = function(batch, &facade);
    let (vis, name) = (&batch.model.function.vis, &batch.model.function.sig.ident);
    let doc = format!("Companions of the cached function `{name}`.");
    let (key, invalidate) = (key(batch, &facade), invalidate(batch, &facade));
    let uncached = uncached(&batch.model);
    quote! {
        #function
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

fn function(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let model = &batch.model;
    let attributes = outer_attributes(&model.function.attrs);
    let (vis, signature) = (&model.function.vis, plain_signature(&model.function.sig));
    let cache = cache(model, facade);
    let (elements, form) = (format_ident!("__larder_elements"), format_ident!("__larder_form"));
    let (element, output) = (&batch.element, &model.output);
    let (key, name) = (template(&model.key, facade), template(&batch.name, facade));
    let (ids, policy, run) = (elements_of(batch), policy(model, facade), run(batch, facade));
    let (entry, blocking, await_it) = match signature.asyncness {
        Some(_) => (quote!(each_async), Some(quote!(, false)), Some(quote!(.await))),
        None => (quote!(each_sync), None, None),
    };
    let at = at(output.span());
    let values = quote_spanned!(at=> (&&&#form.values()).form());
    quote! {
        #(#attributes)*
        #vis #signature {
            #[allow(unused_imports)]
            use #facade::__private::shape::Pick as _;
            let #elements =
                #facade::__private::Elements::new(#ids, |#element: &_| #key, |#element: &_| #name);
            let #form = #facade::__larder_form!(#output);
            #[allow(clippy::needless_borrow)]
            let __larder_values = #values;
            #facade::__private::each::#entry(#cache, #form, __larder_values, #elements, #policy, #run #blocking)
                #await_it
        }
    }
}

fn cache(model: &Model, facade: &TokenStream) -> TokenStream {
    match &model.cache {
        Some(cache) => handle(model, cache, facade),
        None => quote!(&#facade::__private::global_cache()),
    }
}

/// The elements, one by one and owned.
fn elements_of(batch: &Batch) -> TokenStream {
    let ids = &batch.ids;
    let each = quote!(::core::iter::IntoIterator::into_iter(#ids));
    match batch.form {
        Form::Owned(_) => each,
        Form::Slice | Form::Borrowed(_) => quote!(::core::iter::Iterator::cloned(#each)),
    }
}

/// A closure that runs the body for what is missing. It may be called more than once, so the other arguments are cloned.
fn run(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let Batch { model, ids, form, .. } = batch;
    let missing = Ident::new("__larder_missing", Span::mixed_site());
    let others = model.arguments.iter().filter(|argument| argument.name != *ids);
    let clones = others.map(|Argument { name, ty, .. }| {
        quote_spanned!(at(ty.span())=> let #name = ::core::clone::Clone::clone(&#name);)
    });
    let collected = match form {
        Form::Slice => None,
        Form::Borrowed(ty) | Form::Owned(ty) => {
            Some(quote!(let #missing: #ty = ::core::iter::FromIterator::from_iter(#missing);))
        }
    };
    let passed = match form {
        Form::Owned(_) => quote!(#missing),
        Form::Slice | Form::Borrowed(_) => quote!(&#missing),
    };
    let arguments = model.arguments.iter().map(
        |Argument { name, .. }| {
            if name == ids { passed.clone() } else { quote!(#name) }
        },
    );
    let function = &model.function.sig.ident;
    let turbofish = generics::turbofish(&model.function.sig.generics);
    let call = quote!(#function::uncached #turbofish (#(#arguments),*));
    let body = match model.function.sig.asyncness {
        Some(_) => quote!(async move { #collected #call.await }),
        None => quote!(#facade::__private::compute(move || { #collected #call })),
    };
    quote!(move |#missing: ::std::vec::Vec<_>| { #(#clones)* #body })
}

fn key(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let model = Model {
        arguments: batch.model.arguments.iter().map(|argument| of_one(batch, argument)).collect(),
        ..batch.model.clone()
    };
    let doc = format!("The key under which `{}` caches the value of this element.", model.function.sig.ident);
    let output = quote!(#facade::__private::Key);
    let key = template(&model.key, facade);
    companion(&model, &parse_quote!(key), &doc, |argument| argument.in_key, &output, &key)
}

/// The argument as it is where one element stands for all.
fn of_one(batch: &Batch, argument: &Argument) -> Argument {
    if argument.name != batch.ids {
        return argument.clone();
    }
    Argument { name: batch.element.clone(), ty: batch.element_type.clone(), ..argument.clone() }
}

fn invalidate(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let model = &batch.model;
    let doc =
        format!("Makes the cache forget what `{}` returned for these elements.", model.function.sig.ident);
    let (element, key) = (&batch.element, template(&model.key, facade));
    let ids = elements_of(batch);
    let cache = match &model.cache {
        Some(cache) => borrowed_handle(cache, facade),
        None => quote!(&#facade::__private::global_cache()),
    };
    let body = quote! {
        let keys = ::core::iter::Iterator::map(#ids, |#element| #key);
        #facade::__private::invalidate_each(#cache, ::core::iter::Iterator::collect(keys))
    };
    let output = quote!(#facade::__private::Reply<'static, ()>);
    let needs = |argument: &Argument| argument.in_key || argument.in_cache;
    companion(model, &parse_quote!(invalidate), &doc, needs, &output, &body)
}
