//! What `#[invalidates]` and `#[updates]` may say about a function.

use proc_macro2::{Span, TokenStream};
use syn::{
    Error, FnArg, Ident, ItemFn, Pat, PatIdent, Result, ReturnType, Type, parse_quote,
    visit::{self, Visit},
};

use super::{Aim, Kind, Model, Rule};
use crate::{
    check::{READS_OR_WRITES, is_called},
    errors::Errors,
    mentions,
    template::{Scope, Template},
};

/// What the attribute stands on, if it is a function or a method.
pub(super) fn function(kind: Kind, item: TokenStream) -> Result<ItemFn> {
    syn::parse2(item).map_err(|_| {
        let message = format!("`#[{}]` goes on a function or method with a body", kind.name());
        Error::new(Span::call_site(), message)
    })
}

/// Holds the attributes against the function.
pub(super) fn check(mut rules: Vec<Rule>, function: ItemFn) -> Result<Model> {
    let mut errors = Errors::default();
    let output = errors.take(check_signature(&function));
    let names = names(&function);
    for rule in &mut rules {
        let result = !rule.always;
        for forgets in &mut rule.forgets {
            errors.take(bind(&mut forgets.template, &names, result));
            if forgets.aim != Aim::Pattern {
                errors.take(check_no_glob(&forgets.template));
            }
        }
        if let Some(update) = &mut rule.update {
            for template in std::iter::once(&mut update.key).chain(&mut update.tags) {
                errors.take(bind(template, &names, true));
            }
        }
    }
    errors.finish()?;
    // There is one, for otherwise there would have been an error.
    let output = output.unwrap_or_else(|| parse_quote!(()));
    Ok(Model { function, output, rules })
}

fn bind(template: &mut Template, names: &[Ident], result: bool) -> Result<()> {
    template.bind(Scope { names, result }).map_err(|error| {
        let asks = !result && template.bind(Scope { names, result: true }).is_ok();
        if asks {
            let message = "with `always` there may be no result to name: name arguments, or remove `always`";
            Error::new(error.span(), message)
        } else {
            error
        }
    })
}

/// A `*` in a key or tag is a star, and surely somebody meant a pattern.
fn check_no_glob(template: &Template) -> Result<()> {
    if template.has_text("*") {
        let message = "`*` in a key or tag is just a star: put it into `patterns = [...]` to match many keys";
        return Err(Error::new(template.span(), message));
    }
    Ok(())
}

fn check_signature(function: &ItemFn) -> Result<Type> {
    let signature = &function.sig;
    if let Some(word) = &signature.constness {
        let message = "a `const fn` cannot tell a cache anything: remove `const`, or the attribute";
        return Err(Error::new_spanned(word, message));
    }
    if let Some(cached) = function.attrs.iter().find(|attribute| is_called(attribute, "cached")) {
        return Err(Error::new_spanned(cached, READS_OR_WRITES));
    }
    let ReturnType::Type(_, output) = &signature.output else { return Ok(parse_quote!(())) };
    if let Some(found) = mentions::impl_trait(output) {
        let message = "whether this function succeeds is told by the type it returns: \
                       write the type in place of `impl Trait` (and `async fn` in place of `-> impl Future`)";
        return Err(Error::new_spanned(found, message));
    }
    if returns_future(output) {
        let message = "this function returns a future, and has written nothing yet when it returns: make it an \
                       `async fn` (with `#[async_trait]`, put the attribute on a function that the method calls)";
        return Err(Error::new_spanned(output, message));
    }
    if matches!(&**output, Type::Never(_)) {
        return Err(Error::new_spanned(output, "this function never returns, so it never gets to the cache"));
    }
    Ok((**output).clone())
}

/// `Pin<Box<dyn Future>>` and its short names, as far as they can be seen.
fn returns_future(output: &Type) -> bool {
    let Type::Path(path) = output else { return false };
    path.path.segments.last().is_some_and(|segment| {
        ["Pin", "BoxFuture", "LocalBoxFuture"].iter().any(|name| segment.ident == name)
    })
}

/// The names that the arguments bind, also inside patterns.
fn names(function: &ItemFn) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'a> Visit<'a> for Names {
        fn visit_pat_ident(&mut self, pat: &'a PatIdent) {
            self.0.push(pat.ident.clone());
            visit::visit_pat_ident(self, pat);
        }
    }
    let mut names = Names(Vec::new());
    for input in &function.sig.inputs {
        match input {
            FnArg::Receiver(receiver) => names.0.push(Ident::from(receiver.self_token)),
            FnArg::Typed(typed) => {
                let pat: &Pat = &typed.pat;
                names.visit_pat(pat);
            }
        }
    }
    names.0
}
