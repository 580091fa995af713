//! The model into tokens: what the arguments name is named before the body runs, which may consume them; then the body;
//! then what its result names. One call into the library does the rest.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Ident, spanned::Spanned};

use super::{Aim, Model, Rule, Update};
use crate::{
    expand::{at, borrowed_handle, local},
    krate,
    template::{Piece, Place, Template},
};

/// The function, with its body between what comes before and what comes after.
pub(super) fn expand(model: &Model) -> TokenStream {
    let facade = krate::facade();
    let (writer, form, naming) = (local("writer"), local("form"), local("naming"));
    let attributes = &model.function.attrs;
    let (vis, signature, output) = (&model.function.vis, &model.function.sig, &model.output);
    let mut parts = Parts { facade: &facade, before: Vec::new(), after: Vec::new(), stored: Vec::new() };
    for (number, rule) in model.rules.iter().enumerate() {
        parts.rule(number, rule);
    }
    let (before, named) = (&parts.before, parts.named(model));
    let body = body(model);
    let hand_out = hand_out(model, &facade);
    let (entry, await_it) = match signature.asyncness {
        Some(_) => (format_ident!("write_async"), Some(quote!(.await))),
        None => (format_ident!("write_sync"), None),
    };
    quote! {
        #(#attributes)*
        #vis #signature {
            let mut #writer = #facade::__private::Writer::new();
            #(#before)*
            let #form = #facade::__larder_form!(#output);
            #[allow(clippy::all, clippy::pedantic, clippy::nursery)]
            let #naming = #named;
            #facade::__private::write::#entry(#writer, #body, #naming, #hand_out) #await_it
        }
    }
}

/// The body, as something that is run once. An early `return` and `?` return from it, not from the function.
fn body(model: &Model) -> TokenStream {
    let (block, output) = (&model.function.block, &model.output);
    if model.function.sig.asyncness.is_none() {
        return quote!(move || -> #output #block);
    }
    // Without braces of its own, of which a lint would say that its author could leave them out.
    let statements = &block.stmts;
    let returned = local("returned");
    quote! {
        async move {
            // Says what type the block has, so that `?` knows.
            #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::empty_loop)]
            if false {
                let #returned: #output = loop {};
                return #returned;
            }
            #(#statements)*
        }
    }
}

/// How a cache's error becomes the function's, where it is asked for.
fn hand_out(model: &Model, facade: &TokenStream) -> TokenStream {
    let output = &model.output;
    match model.rules.iter().find_map(|rule| rule.hands_out.as_ref()) {
        None => quote!(::core::option::Option::None),
        Some(asked) => {
            let function = quote_spanned!(at(asked.span())=>
                <#output as #facade::__private::write::HandsOut>::hand_out as fn(_) -> _
            );
            quote!(::core::option::Option::Some(#function))
        }
    }
}

/// What surrounds the body.
struct Parts<'p> {
    facade: &'p TokenStream,
    /// Statements before it.
    before: Vec<TokenStream>,
    /// Statements after it, where it has returned a value, which is `ret`.
    after: Vec<TokenStream>,
    /// The numbers of the rules that store the value, and under which key and policy.
    stored: Vec<(usize, TokenStream)>,
}

impl Parts<'_> {
    fn rule(&mut self, number: usize, rule: &Rule) {
        let (facade, writer) = (self.facade, local("writer"));
        let cache = match &rule.cache {
            Some(cache) => borrowed_handle(cache, facade),
            None => quote!(&#facade::__private::global_cache()),
        };
        let (always, hands_out) = (rule.always, rule.hands_out.is_some());
        self.before.push(quote!(#writer.rule(#cache, #always, #hands_out);));
        for forgets in &rule.forgets {
            let aim = match forgets.aim {
                Aim::Key => quote!(Key),
                Aim::Tag => quote!(Tag),
                Aim::Pattern => quote!(Pattern),
            };
            let (late, name) = self.name(&forgets.template, forgets.aim);
            let forget = quote!(#writer.forget(#number, #facade::__private::Target::#aim(&#name)););
            if late { &mut self.after } else { &mut self.before }.push(forget);
        }
        if let Some(update) = &rule.update {
            self.update(number, update);
        }
    }

    fn update(&mut self, number: usize, update: &Update) {
        let (facade, writer) = (self.facade, local("writer"));
        let (late, mut key) = self.name(&update.key, Aim::Key);
        if late {
            self.before.push(quote!(#writer.update(#number, ::core::option::Option::None);));
        } else {
            let known = local(&format!("key_{number}"));
            self.before.push(quote! {
                let #known = #key;
                #writer.update(#number, ::core::option::Option::Some(&#known));
            });
            key = known.into_token_stream();
        }
        let policy = local(&format!("policy_{number}"));
        let ttl = &update.ttl;
        let swr = update.swr.as_ref().map(|swr| quote!(.swr(#swr)));
        let sie = update.sie.as_ref().map(|sie| quote!(.sie(#sie)));
        let version = update.version.as_ref().map(|version| quote!(.version(#version)));
        self.before.push(quote! {
            let #policy = #facade::Policy::ttl(#ttl) #swr #sie #version;
        });
        let tags: Vec<_> = update.tags.iter().map(|tag| self.name_later(tag, Aim::Tag)).collect();
        let tags = (!tags.is_empty()).then(|| quote!(.tags([#(#tags),*])));
        self.stored.push((number, quote!((#key, #policy #tags))));
    }

    /// An expression that makes the key, tag or pattern, and whether it can only be made of the result.
    fn name(&mut self, template: &Template, aim: Aim) -> (bool, TokenStream) {
        if template.uses_result() {
            return (true, self.name_later(template, aim));
        }
        (false, made(template, aim, self.facade, part))
    }

    /// One that is made after the body. What it needs of the arguments is written down before.
    fn name_later(&mut self, template: &Template, aim: Aim) -> TokenStream {
        let (facade, before) = (self.facade, &mut self.before);
        made(template, aim, facade, |builder, place| {
            if place.is_result {
                return part(builder, place);
            }
            let text = local(&format!("text_{}", before.len()));
            let at = at(place.root.span());
            before.push(quote_spanned!(at=> let #text = #facade::__private::text_of(&#place);));
            quote!(#builder.text(&#text);)
        })
    }

    /// What is done with the result.
    fn named(&self, model: &Model) -> TokenStream {
        let (facade, writer, form) = (self.facade, local("writer"), local("form"));
        let (returned, after) = (local("returned"), &self.after);
        let speaks = model.rules.iter().any(Rule::uses_result);
        let ret = if speaks { Ident::new("ret", Span::call_site()).into_token_stream() } else { quote!(_) };
        let stored = self.stored.iter().map(|(_, stored)| stored);
        let slots: Vec<_> =
            self.stored.iter().map(|(number, _)| local(&format!("stored_{number}"))).collect();
        let numbers = self.stored.iter().map(|(number, _)| number);
        let at = at(model.output.span());
        let store = quote_spanned!(at=> store);
        quote! {
            move |#returned, #writer: &mut #facade::__private::Writer| {
                let named = #facade::__private::write::name(&#form, &#returned, |#ret| {
                    #(#after)*
                    (#(#stored,)*)
                });
                match named {
                    ::core::option::Option::None => (#returned, false),
                    ::core::option::Option::Some((#(#slots,)*)) => {
                        #(let #returned =
                            #facade::__private::write::#store(&#form, #returned, #writer, #numbers, #slots);)*
                        (#returned, true)
                    }
                }
            }
        }
    }
}

impl Rule {
    fn uses_result(&self) -> bool {
        let update = self.update.as_ref();
        let forgets = self.forgets.iter().map(|forgets| &forgets.template);
        let stores = update.into_iter().flat_map(|update| std::iter::once(&update.key).chain(&update.tags));
        forgets.chain(stores).any(Template::uses_result)
    }
}

/// An expression that makes a name; `part` adds a placeholder.
fn made(
    template: &Template,
    aim: Aim,
    facade: &TokenStream,
    mut part: impl FnMut(&Ident, &Place) -> TokenStream,
) -> TokenStream {
    let builder = local("builder");
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(#builder.text(#text);),
        Piece::Place(place) => part(&builder, place),
    });
    let pieces: Vec<_> = pieces.collect();
    let end = match aim {
        Aim::Pattern => quote!(#facade::__private::pattern(#builder)),
        Aim::Key | Aim::Tag => quote!(#builder.finish()),
    };
    quote!({
        let mut #builder = #facade::KeyBuilder::new();
        #(#pieces)*
        #end
    })
}

/// A placeholder whose value is at hand.
fn part(builder: &Ident, place: &Place) -> TokenStream {
    let at = at(place.blame());
    quote_spanned!(at=> #builder.part(&#place);)
}
