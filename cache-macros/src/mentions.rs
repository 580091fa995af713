//! Which names a piece of syntax speaks of.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    GenericArgument, Ident, Lifetime, ParenthesizedGenericArguments, Pat, PatIdent, PathArguments, Type,
    TypeBareFn, TypeImplTrait, TypePath, TypeReference,
    visit::{self, Visit},
};

/// Whether `tokens` use the variable `name`: as a word of its own, not as a field or method after a dot.
/// Works on tokens, since it must look into macro calls as well.
pub(crate) fn uses(tokens: TokenStream, name: &Ident) -> bool {
    let mut after_dot = false;
    tokens.into_iter().any(|token| {
        let field =
            std::mem::replace(&mut after_dot, matches!(&token, TokenTree::Punct(p) if p.as_char() == '.'));
        match token {
            TokenTree::Ident(word) => word == *name && !field,
            TokenTree::Group(group) => uses(group.stream(), name),
            _ => false,
        }
    })
}

/// Whether `tokens` speak of `self` or `Self`, other than in an `impl` or trait of their own.
pub(crate) fn speaks_of_self(tokens: TokenStream) -> bool {
    let mut own = false;
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => {
            own |= word == "impl" || word == "trait";
            word == "self" || word == "Self"
        }
        TokenTree::Group(group) => {
            let inner = group.delimiter() == Delimiter::Brace && std::mem::take(&mut own);
            !inner && speaks_of_self(group.stream())
        }
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Whether a pattern gives this name to something.
pub(crate) fn binds(pattern: &Pat, name: &Ident) -> bool {
    bindings(pattern).contains(name)
}

/// The names that a pattern gives.
pub(crate) fn bindings(pattern: &Pat) -> Vec<Ident> {
    struct Bindings(Vec<Ident>);
    impl Visit<'_> for Bindings {
        fn visit_pat_ident(&mut self, found: &PatIdent) {
            self.0.push(found.ident.clone());
            visit::visit_pat_ident(self, found);
        }
    }
    let mut search = Bindings(Vec::new());
    search.visit_pat(pattern);
    search.0
}

/// Whether a value of this type visibly borrows: a reference or a lifetime other than `'static`.
pub(crate) fn borrows(ty: &Type) -> bool {
    struct Borrows(bool);
    impl Visit<'_> for Borrows {
        fn visit_type_reference(&mut self, reference: &TypeReference) {
            self.0 |= reference.lifetime.is_none();
            visit::visit_type_reference(self, reference);
        }
        fn visit_lifetime(&mut self, lifetime: &Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
        // What `<A as B<'_>>::C` is does not show.
        fn visit_type_path(&mut self, path: &TypePath) {
            if path.qself.is_none() {
                visit::visit_type_path(self, path);
            }
        }
        // What a function takes and returns, it does not hold.
        fn visit_type_bare_fn(&mut self, _: &TypeBareFn) {}
        fn visit_parenthesized_generic_arguments(&mut self, _: &ParenthesizedGenericArguments) {}
    }
    let mut search = Borrows(false);
    search.visit_type(ty);
    search.0
}

/// `Pin<Box<dyn Future>>` and its short names, as far as they can be seen.
pub(crate) fn is_future(output: &Type) -> bool {
    let Type::Path(path) = output else { return false };
    path.path.segments.last().is_some_and(|segment| {
        let pinned = || uses(segment.to_token_stream(), &Ident::new("Future", Span::call_site()));
        segment.ident == "BoxFuture"
            || segment.ident == "LocalBoxFuture"
            || (segment.ident == "Pin" && pinned())
    })
}

/// The reference that a value of this type holds, as far as it can be seen; what an `Err` holds is left out.
pub(crate) fn reference(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(found) => Some(found),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(reference),
        Type::Array(array) => reference(&array.elem),
        Type::Slice(slice) => reference(&slice.elem),
        Type::Group(group) => reference(&group.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            let types = arguments.args.iter().filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            // An error is not cached, and `Local` holds anything.
            let count = if last.ident == "Local" {
                0
            } else if last.ident == "Result" {
                1
            } else {
                usize::MAX
            };
            types.take(count).find_map(reference)
        }
        _ => None,
    }
}

/// `()`, or that in an `Ok` or `Some`, as far as it can be seen.
pub(crate) fn is_unit(ty: &Type) -> bool {
    match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| match &last.arguments {
            PathArguments::AngleBracketed(arguments) if last.ident == "Result" || last.ident == "Option" => {
                matches!(arguments.args.first(), Some(GenericArgument::Type(inner)) if is_unit(inner))
            }
            _ => false,
        }),
        _ => false,
    }
}

/// The `impl Trait` inside a type, if there is one.
pub(crate) fn impl_trait(ty: &Type) -> Option<&TypeImplTrait> {
    struct Search<'a>(Option<&'a TypeImplTrait>);
    impl<'a> Visit<'a> for Search<'a> {
        fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
            self.0.get_or_insert(found);
        }
    }
    let mut search = Search(None);
    search.visit_type(ty);
    search.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;
    use syn::parse_quote;

    #[test]
    fn finds_variables_and_not_fields() {
        let ctx: Ident = parse_quote!(ctx);
        for tokens in [quote!(ctx.cache), quote!(pick!(ctx)), quote!(&ctx), quote!(caches[ctx].ctx)] {
            assert!(uses(tokens.clone(), &ctx), "{tokens}");
        }
        for tokens in [quote!(app.ctx), quote!(CTX), quote!(app.ctx())] {
            assert!(!uses(tokens.clone(), &ctx), "{tokens}");
        }
    }

    #[test]
    fn sees_what_borrows() {
        let borrowing: [Type; 4] = [
            parse_quote!(&str),
            parse_quote!(Db<'_>),
            parse_quote!(Option<&'a T>),
            parse_quote!(Box<dyn Db + 'a>),
        ];
        assert!(borrowing.iter().all(borrows));
        let owned: [Type; 5] = [
            parse_quote!(<Self as Lookup<&'a str>>::Out),
            parse_quote!(u64),
            parse_quote!(&'static str),
            parse_quote!(fn(&str)),
            parse_quote!(Arc<dyn Fn(&str)>),
        ];
        assert!(!owned.iter().any(borrows));
    }
}
