//! A batch into tokens: one call into the library, and the companions.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{Batch, Form};
use crate::{
    argument::Argument,
    background::{Luggage, pack},
    companion::{Companion, uncached},
    expand::{
        Expansion, at, kept_handle, key_value, local, outer_attributes, plain_signature, policy, take_apart,
        template,
    },
    generics, krate, mentions,
    model::{Model, Uses},
};

/// The function and its companions.
pub(super) fn expand(batch: &Batch) -> Expansion {
    let facade = krate::facade();
    let function = function(batch, &facade);
    let (key, invalidate) = (key(batch, &facade), invalidate(batch, &facade));
    Expansion { function, companions: quote!(#key #invalidate), uncached: uncached(&batch.model) }
}

fn function(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let model = &batch.model;
    let attributes = outer_attributes(&model.function.attrs);
    let (vis, signature) = (&model.function.vis, plain_signature(model));
    let (elements, form, values) = (local("elements"), local("form"), local("values"));
    let (element, output) = (&batch.element, &model.output);
    let (key, name) = (key_value(model, facade), template(&batch.name, facade));
    let parts = take_apart(model, |uses| uses.key || uses.cache || uses.policy);
    let (cache, ids, run) = (cache(model, facade), elements_of(batch), run(batch, facade));
    let policy = policy(model, facade);
    let in_caller = model.policy.background().is_none().then(|| quote!(.in_caller()));
    let at = at(output.span());
    let (entry, blocking, await_it) = match signature.asyncness {
        Some(_) => (quote_spanned!(at=> each_async), Some(quote!(, false)), Some(quote!(.await))),
        None => (quote_spanned!(at=> each_sync), None, None),
    };
    let ask = quote_spanned!(at=> #facade::__private::each::values(&#form));
    let element_type = Some(&batch.element_type).filter(|ty| mentions::impl_trait(ty).is_none());
    let of = element_type.map(|ty| quote!(<#ty>::));
    quote! {
        #(#attributes)*
        #vis #signature {
            #[allow(unused_imports)]
            use #facade::__private::shape::Pick as _;
            #parts
            let #elements =
                #facade::__private::Elements::#of new(#ids, |#element: &_| #key, |#element: &_| #name);
            let #form = #facade::__larder_form!(#output);
            #[allow(clippy::needless_borrow)]
            let #values = (&&&#ask).form();
            #facade::__private::each::#entry(
                #cache, #form, #values, #elements, #policy #in_caller, #run #blocking
            ) #await_it
        }
    }
}

fn cache(model: &Model, facade: &TokenStream) -> TokenStream {
    match &model.cache {
        Some(_) => kept_handle(model, facade),
        None => quote!(&#facade::__private::global_cache()),
    }
}

/// The elements, one by one and owned.
fn elements_of(batch: &Batch) -> TokenStream {
    let ids = &batch.ids.name;
    let each = quote!(::core::iter::IntoIterator::into_iter(#ids));
    match batch.form {
        Form::Owned(_) => each,
        Form::Slice | Form::Borrowed(_) => quote!(::core::iter::Iterator::cloned(#each)),
    }
}

/// A closure that runs the body for what is missing. It may be called more than once, so the other arguments are cloned.
fn run(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let Batch { model, ids, form, .. } = batch;
    let missing = local("missing");
    let mut others = model.clone();
    others.arguments.retain(|argument| argument.name != ids.name);
    let clones = others.arguments.iter().map(|Argument { name, ty, .. }| {
        quote_spanned!(at(ty.span())=> let #name = #facade::__private::each::again(&#name);)
    });
    let Luggage { packing, receiver, arguments } = pack(&others, facade);
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
    let mut arguments = arguments;
    let place = model.arguments.iter().position(|argument| argument.name == ids.name);
    arguments.insert(place.unwrap_or_default(), passed);
    let arguments = receiver.into_iter().chain(arguments);
    let (path, turbofish) = (model.path_to("uncached"), generics::turbofish(&model.function.sig.generics));
    let call = quote!(#path #turbofish (#(#arguments),*));
    let body = match model.function.sig.asyncness {
        Some(_) => quote!(async move { #collected #call.await }),
        None => quote!(#facade::__private::compute(move || { #collected #call })),
    };
    quote!(move |#missing: ::std::vec::Vec<_>| { #(#clones)* #packing #body })
}

fn key(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let mut model = batch.model.clone();
    for argument in model.arguments.iter_mut().filter(|argument| argument.name == batch.ids.name) {
        argument.name = batch.element.clone();
        argument.bindings = vec![batch.element.clone()];
        argument.ty = batch.element_type.clone();
    }
    let key = key_value(&model, facade);
    let needs = |uses: Uses| uses.key;
    Companion {
        what: "key",
        doc: "The key under which `{}` caches the value of this element.",
        output: quote!(#facade::Key),
        body: quote!(#key),
        ..Companion::new(&needs)
    }
    .tokens(&model)
}

fn invalidate(batch: &Batch, facade: &TokenStream) -> TokenStream {
    let model = &batch.model;
    let (element, key, ids) = (&batch.element, key_value(model, facade), elements_of(batch));
    let (cache, keys) = (cache(model, facade), local("keys"));
    let needs = |uses: Uses| uses.key || uses.cache;
    Companion {
        what: "invalidate",
        doc: "Makes the cache forget what `{}` returned for these elements: no later call is given it.",
        output: quote!(#facade::Reply<'static, ()>),
        body: quote! {
            let #keys = ::core::iter::Iterator::map(#ids, |#element| #key);
            let #keys = ::core::iter::Iterator::collect(#keys);
            #facade::__private::invalidate_each(#cache, #keys)
        },
        ..Companion::new(&needs)
    }
    .tokens(model)
}
