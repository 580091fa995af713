//! The model into tokens. What is generated stays small: the function is one call into the library, its body
//! moves into the companion `uncached` as it was written, and what differs between return types is told by
//! type, in `larder::__private::shape`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Attribute, Expr, FnArg, Ident, ItemFn, Meta, Result, Signature, ext::IdentExt, parse_quote,
    spanned::Spanned,
};

use crate::{
    argument::Argument,
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
    /// The one among them that is its author's body.
    pub(crate) uncached: TokenStream,
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
    Expansion {
        function: function(model, &facade),
        companions: companion::companions(model, &facade),
        uncached: companion::uncached(model),
    }
}

impl Expansion {
    /// All of it, where the function stands. The companions of a free function hang on an empty `enum` of its name, which
    /// lives beside it in the namespace of types, at module level as well as inside functions.
    pub(crate) fn in_place(self, model: &Model) -> TokenStream {
        let Self { function, companions, uncached } = self;
        if model.home == Home::Method {
            return quote!(#function #companions #uncached);
        }
        let (vis, name) = (&model.function.vis, &model.function.sig.ident);
        let cfg: Vec<_> = cfg(&model.function.attrs).collect();
        let (doc, lints) = (format!("Companions of the cached function `{name}`."), companion::lints());
        quote! {
            #function

            #(#cfg)*
            #[doc = #doc]
            #[allow(dead_code, non_camel_case_types)]
            #vis enum #name {}

            #(#cfg)*
            #lints
            impl #name {
                #companions
            }

            #(#cfg)*
            impl #name {
                #uncached
            }
        }
    }
}

fn function(model: &Model, facade: &TokenStream) -> TokenStream {
    let attributes = outer_attributes(&model.function.attrs);
    let vis = &model.function.vis;
    let signature = plain_signature(model);
    let this = model.receiver.as_ref().map(|receiver| receiver.name().into_token_stream());
    let (run, await_it) =
        (chosen_run(model, facade, this.as_ref()), model.is_async().then(|| quote!(.await)));
    quote! {
        #(#attributes)*
        #vis #signature {
            #run #await_it
        }
    }
}

/// What the function does: the call of [`run`], which asks what `bypass` and `refresh` say.
pub(crate) fn chosen_run(model: &Model, facade: &TokenStream, this: Option<&TokenStream>) -> TokenStream {
    let parts = take_apart(model, |uses| uses.choice);
    let run = run_call(model, this, &ask(model, facade));
    if parts.is_empty() { run } else { quote!({ #parts #run }) }
}

/// The call of [`run`], with this receiver, which asks `ask` of the cache.
pub(crate) fn run_call(model: &Model, this: Option<&TokenStream>, ask: &TokenStream) -> TokenStream {
    let this = this.iter();
    let names = model.arguments.iter().map(|argument| &argument.name);
    let (path, turbofish) = (model.path_to("__run"), generics::turbofish(&model.function.sig.generics));
    quote!(#path #turbofish (#(#this,)* #ask #(, #names)*))
}

/// The one call into the library that does the work: of the function itself, and of `refresh`, which asks for something
/// else.
pub(crate) fn run(model: &Model, facade: &TokenStream) -> TokenStream {
    let ask = local("ask");
    let mut signature = plain_signature(model);
    signature.ident = model.companion("__run");
    let place = usize::from(model.receiver.is_some());
    signature.inputs.insert(place, parse_quote!(#ask: #facade::__private::Ask));
    let parts = take_apart(model, |uses| uses.cache);
    let key = local("key");
    let write_key = write_key(model, &quote!(&mut #key));
    let cache = kept_handle(model, facade);
    let shape = judge::shape_call(model);
    let plan = plan(model, facade);
    // A load that cannot run in the background, or not be given up, is to be blamed on the setting that asks for it.
    let setting = model.policy.background().or_else(|| model.policy.given("hard_timeout"));
    let at = setting.map_or_else(Span::call_site, |setting| at(setting.span()));
    let run = Ident::new(if model.is_async() { "run" } else { "run_sync" }, at);
    let await_it = model.is_async().then(|| quote_spanned!(at=> .await));
    let library = moved(facade, at);
    let call = judge::of_output(model, facade, |_| quote!(#shape.call(#cache, #ask, &mut #key)));
    let run = quote_spanned!(at=> #library::__private::#run(#call, #plan) #await_it);
    quote! {
        #signature {
            #parts
            let mut #key = #facade::KeyBuilder::new();
            #write_key;
            #run
        }
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

/// The call that writes the key of the arguments, which are borrowed for it, to a builder.
fn write_key(model: &Model, builder: &TokenStream) -> TokenStream {
    let path = model.path_to("__key");
    let this = model.receiver.as_ref().map(|receiver| {
        let name = receiver.name();
        if receiver.is_borrowed() { quote!(#name) } else { quote!(&#name) }
    });
    let names = model.arguments.iter().filter(|argument| model.needs(argument, |uses| uses.key));
    let arguments = this.into_iter().chain(names.map(|Argument { name, .. }| quote!(&#name)));
    let turbofish = key_turbofish(model);
    quote!(#path #turbofish (#(#arguments,)* #builder))
}

/// The parameters of what makes the key, where its arguments do not tell them.
pub(crate) fn key_turbofish(model: &Model) -> Option<TokenStream> {
    let constants = model.constants(|uses| uses.key);
    let needed = model.arguments.iter().filter(|argument| model.needs(argument, |uses| uses.key));
    let types = needed.map(|argument| &argument.ty);
    let generics = generics::needed_with(&model.function.sig.generics, types, &constants);
    (!constants.is_empty()).then(|| generics::turbofish(&generics))
}

/// The key of the arguments, which are borrowed for it.
pub(crate) fn make_key(model: &Model, facade: &TokenStream) -> TokenStream {
    let builder = builder();
    let write = write_key(model, &quote!(#builder));
    quote!(#facade::__private::made(|#builder| #write))
}

/// An expression that makes the key from the arguments.
pub(crate) fn key_value(model: &Model, facade: &TokenStream) -> TokenStream {
    finished(&writes(&model.key.template), facade)
}

/// Statements that write the key of the arguments to [`builder`].
pub(crate) fn key_writes(model: &Model, facade: &TokenStream) -> TokenStream {
    let path = model.key.by_path.then(|| key_path(model, facade));
    let pieces = writes(&model.key.template);
    quote!(#path #pieces)
}

/// Writes the path of the function.
fn key_path(model: &Model, facade: &TokenStream) -> TokenStream {
    let (name, builder) = (&model.function.sig.ident, builder());
    match model.home {
        Home::Free => {
            let text = format!("::{}", name.unraw());
            let plain = quote!(::core::concat!(::core::module_path!(), #text));
            let place = quote!(::core::concat!("@", ::core::line!(), ".", ::core::column!()));
            quote!(#facade::__private::write_path::<#name>(#builder, #plain, #place);)
        }
        Home::Method => {
            let text = format!("::{name}");
            quote!(#builder.text(#facade::__private::type_name::<Self>()); #builder.text(#text);)
        }
    }
}

/// An expression that makes the tag from the arguments, which it borrows.
pub(crate) fn template(template: &Template, facade: &TokenStream) -> TokenStream {
    finished(&writes(template), facade)
}

fn writes(template: &Template) -> TokenStream {
    let builder = builder();
    let pieces = template.pieces.iter().map(|piece| match piece {
        Piece::Text(text) => quote!(#builder.text(#text);),
        Piece::Place(place) => {
            let at = at(place.blame());
            quote_spanned!(at=> #builder.part(&#place);)
        }
    });
    pieces.collect()
}

fn finished(writes: &TokenStream, facade: &TokenStream) -> TokenStream {
    let builder = builder();
    quote!({
        let mut #builder = #facade::KeyBuilder::new();
        #writes
        #builder.finish()
    })
}

/// The variable to which keys are written.
pub(crate) fn builder() -> Ident {
    local("builder")
}

/// A variable of ours, which no name of the user's is taken for.
pub(crate) fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}

/// An argument of ours, by the name that is read in the documentation. It is of mixed site, too.
pub(crate) fn own_argument(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
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
