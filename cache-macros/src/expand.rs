//! The model into tokens. What is generated stays small: the function is one call into the library, its body
//! moves into the companion `uncached` as it was written, and what differs between return types is told by
//! type, in `larder::__private::shape`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Expr, FnArg, Ident, ItemFn, Meta, Result, Signature, parse_quote, spanned::Spanned};

use crate::{
    attr::Options,
    background, batch, check, companion, generics, judge, krate, mentions,
    model::{Home, Model, Uses},
    template::{Piece, Template},
};

/// What a cached function becomes.
pub(crate) struct Expansion {
    /// The function itself, in its place.
    pub(crate) function: TokenStream,
    /// Its companions, as functions of an `impl`.
    pub(crate) companions: TokenStream,
}

/// Whichever the attribute says: a cached function, or one over a batch.
pub(crate) fn function_or_batch(
    options: Options,
    function: ItemFn,
    home: Home,
) -> Result<(Expansion, Model)> {
    if options.each.is_some() {
        return batch::function(options, function, home);
    }
    let model = check::check(options, function, home)?;
    Ok((expand(&model), model))
}

/// The cached function and its companions.
fn expand(model: &Model) -> Expansion {
    let facade = krate::facade();
    Expansion { function: function(model, &facade), companions: companion::companions(model, &facade) }
}

impl Expansion {
    /// Both, where the function stands. The companions of a free function hang on an empty `enum` of its name, which
    /// lives beside it in the namespace of types, at module level as well as inside functions.
    pub(crate) fn in_place(self, model: &Model) -> TokenStream {
        let Self { function, companions } = self;
        if model.home == Home::Method {
            return quote!(#function #companions);
        }
        let (vis, name) = (&model.function.vis, &model.function.sig.ident);
        let cfg: Vec<_> = cfg(&model.function.attrs).collect();
        let doc = format!("Companions of the cached function `{name}`.");
        quote! {
            #function

            #(#cfg)*
            #[doc = #doc]
            #[allow(dead_code, non_camel_case_types)]
            #vis enum #name {}

            #(#cfg)*
            impl #name {
                #companions
            }
        }
    }
}

fn function(model: &Model, facade: &TokenStream) -> TokenStream {
    let attributes = outer_attributes(&model.function.attrs);
    let vis = &model.function.vis;
    let signature = plain_signature(model);
    let body = call(model, facade, None);
    quote! {
        #(#attributes)*
        #vis #signature {
            #body
        }
    }
}

/// The one call that does the work: of the function itself, or of a companion that asks for something else.
pub(crate) fn call(model: &Model, facade: &TokenStream, ask: Option<TokenStream>) -> TokenStream {
    let key = local("key");
    let chooses = ask.is_none();
    let parts = take_apart(model, |uses| uses.cache || (chooses && uses.choice));
    let key_value = key_call(model);
    let ask = ask.unwrap_or_else(|| self::ask(model, facade));
    let cache = kept_handle(model, facade);
    let shape = judge::shape_call(model);
    let plan = plan(model, facade);
    // A load that cannot run in the background, or not be given up, is to be blamed on the setting that asks for it.
    let setting = model.policy.background().or_else(|| model.policy.given("hard_timeout"));
    let at = setting.map_or_else(Span::call_site, |setting| at(setting.span()));
    let run = Ident::new(if model.is_async() { "run" } else { "run_sync" }, at);
    let await_it = model.is_async().then(|| quote_spanned!(at=> .await));
    let library = moved(facade, at);
    let call = judge::of_output(
        model,
        facade,
        |facade| quote!(#facade::__private::Call { cache: #cache, ask: #ask, key: &#key, shape: #shape }),
    );
    let run = quote_spanned!(at=> #library::__private::#run(#call, #plan) #await_it);
    quote! {
        #parts
        let #key = #key_value;
        #run
    }
}

/// What a call asks of the cache.
fn ask(model: &Model, facade: &TokenStream) -> TokenStream {
    let usual = if model.policy.is_choosy() { quote!(Checked) } else { quote!(Fresh) };
    let mut ask = quote!(#facade::__private::Ask::#usual);
    for (condition, what) in [(&model.refresh, quote!(Anew)), (&model.bypass, quote!(Nothing))] {
        if let Some(condition) = condition {
            ask = quote!(if #condition { #facade::__private::Ask::#what } else { #ask });
        }
    }
    ask
}

/// The cache. One that lives in an argument taken by value is cloned (a handle is cheap to clone), since the
/// body takes that argument with it.
pub(crate) fn kept_handle(model: &Model, facade: &TokenStream) -> TokenStream {
    let handle = handle(model, facade);
    let in_cache = |name: &Ident| model.uses(name).cache;
    let owned = model
        .arguments
        .iter()
        .any(|argument| argument.bindings.iter().any(in_cache) && !mentions::borrows(&argument.ty))
        || model
            .receiver
            .as_ref()
            .is_some_and(|receiver| !receiver.is_borrowed() && in_cache(&receiver.name()));
    if owned { quote!(&#facade::__private::Engine::clone(#handle)) } else { handle }
}

/// The cache of this function: the one that it names, or else the global one.
pub(crate) fn handle(model: &Model, facade: &TokenStream) -> TokenStream {
    let global = || quote!(#facade::__private::Global);
    model.cache.as_ref().map_or_else(global, |cache| borrowed_handle(cache, facade))
}

/// The cache that the expression `cache` gives, itself or by reference.
pub(crate) fn borrowed_handle(cache: &Expr, facade: &TokenStream) -> TokenStream {
    let at = at(cache.span());
    quote_spanned!(at=> ::core::convert::identity::<&#facade::__private::Engine>(&(#cache)))
}

/// What a miss needs, as a closure, so that a hit builds none of it: the policy, then the load, which takes
/// the arguments.
fn plan(model: &Model, facade: &TokenStream) -> TokenStream {
    let parts = take_apart(model, |uses| uses.policy);
    let policy = policy(model, facade);
    // Else nothing runs in the background, so the load may borrow from its caller.
    let in_caller = model.policy.background().is_none().then(|| quote!(.in_caller()));
    let load = load(model, facade);
    if parts.is_empty() {
        return quote!(move || (#policy #in_caller, #load));
    }
    quote!(move || { #parts (#policy #in_caller, #load) })
}

/// The load itself: a future, or a closure.
fn load(model: &Model, facade: &TokenStream) -> TokenStream {
    let background::Luggage { packing, receiver, arguments } = background::pack(model, facade);
    let (path, turbofish) = (model.path_to("uncached"), generics::turbofish(&model.function.sig.generics));
    let arguments = receiver.into_iter().chain(arguments);
    let run = quote!(#path #turbofish (#(#arguments),*));
    let (start, run) = if model.is_async() {
        (quote!(async move), if packing.is_empty() && !model.judges() { run } else { quote!(#run.await) })
    } else {
        (quote!(move ||), run)
    };
    let judge::Judge { before, judged } = judge::judge(model, facade, &run);
    if packing.is_empty() && before.is_empty() && !model.judges() {
        return if model.is_async() { judged } else { quote!(#start #judged) };
    }
    quote!({ #packing #before #start { #judged } })
}

/// The policy with those tags that are known before the function runs.
pub(crate) fn policy(model: &Model, facade: &TokenStream) -> TokenStream {
    let policy = model.policy.tokens(facade);
    let mut tags = model.tags.iter().filter(|tag| !tag.uses_result()).peekable();
    if tags.peek().is_none() {
        return policy;
    }
    let tags = tags.map(|tag| template(tag, facade));
    quote!(#policy.tags([#(#tags),*]))
}

/// The `let`s that name the parts of those arguments that are taken apart, as far as `wanted`.
pub(crate) fn take_apart(model: &Model, wanted: impl Fn(Uses) -> bool) -> TokenStream {
    model
        .arguments
        .iter()
        .filter_map(|argument| argument.take_apart(|name| wanted(model.uses(name))))
        .collect()
}

/// The key of the arguments, which are borrowed for it.
pub(crate) fn key_call(model: &Model) -> TokenStream {
    let path = model.path_to("__key");
    let this = model.receiver.as_ref().map(|receiver| {
        let name = receiver.name();
        if receiver.is_borrowed() { quote!(#name,) } else { quote!(&#name,) }
    });
    let names =
        model.arguments.iter().filter(|argument| model.needs(argument, |uses| uses.key)).map(|a| &a.name);
    quote!(#path(#this #(&#names),*))
}

/// An expression that makes the key from the arguments.
pub(crate) fn key_value(model: &Model, facade: &TokenStream) -> TokenStream {
    let name = &model.function.sig.ident;
    let path = model.key.by_path.then(|| match model.home {
        Home::Free => (quote!(#name), None),
        Home::Method => (quote!(Self), Some(format!("::{name}"))),
    });
    built(&model.key.template, facade, path)
}

/// An expression that makes the tag from the arguments, which it borrows.
pub(crate) fn template(template: &Template, facade: &TokenStream) -> TokenStream {
    built(template, facade, None)
}

fn built(
    template: &Template,
    facade: &TokenStream,
    path: Option<(TokenStream, Option<String>)>,
) -> TokenStream {
    let builder = local("builder");
    let path = path.map(|(ty, name)| {
        let name = name.map(|name| quote!(#builder.text(#name);));
        quote!(#builder.text(#facade::__private::type_name::<#ty>()); #name)
    });
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(#builder.text(#text);),
        Piece::Place(place) => {
            let at = at(place.blame());
            quote_spanned!(at=> #builder.part(&#place);)
        }
    });
    quote!({
        let mut #builder = #facade::__private::KeyBuilder::new();
        #path
        #(#pieces)*
        #builder.finish()
    })
}

/// A variable of ours, which no name of the user's is taken for.
pub(crate) fn local(name: &str) -> Ident {
    format_ident!("__larder_{name}", span = Span::mixed_site())
}

/// A span for tokens of ours that are to be blamed on what their author wrote at `place`.
pub(crate) fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// `tokens` with another span, but for what stands in brackets.
pub(crate) fn moved(tokens: &TokenStream, span: Span) -> TokenStream {
    let moved = |mut token: TokenTree| {
        token.set_span(span);
        token
    };
    tokens.clone().into_iter().map(moved).collect()
}

/// The signature with one name for each argument: `mut` and patterns are the body's affair.
pub(crate) fn plain_signature(model: &Model) -> Signature {
    let mut plain = model.function.sig.clone();
    let mut arguments = model.arguments.iter();
    for input in &mut plain.inputs {
        match input {
            FnArg::Receiver(receiver) if receiver.reference.is_none() => receiver.mutability = None,
            FnArg::Receiver(_) => {}
            FnArg::Typed(typed) => {
                if let Some(argument) = arguments.next() {
                    let name = &argument.name;
                    *typed.pat = parse_quote!(#name);
                }
            }
        }
    }
    plain
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

/// What decides whether the function is there at all, for what stands or falls with it.
pub(crate) fn cfg(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"))
}

/// The expression as one that is called with the value, whose type it has from there.
pub(crate) fn asked(facade: &TokenStream, value: &Ident, closure: &dyn ToTokens) -> TokenStream {
    let closure = closure.to_token_stream();
    let at = at(closure.span());
    let facade = moved(facade, at);
    quote_spanned!(at=> #facade::__private::shape::ask(#value, #closure))
}
