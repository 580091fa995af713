//! Which generics a companion needs: one that takes only some of the arguments must not ask for the
//! parameters of the others, which nobody could infer.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    GenericParam, Generics, Ident, Lifetime, Type, WherePredicate,
    visit::{self, Visit},
};

/// The part of `all` that `types` speak of, with the bounds that speak of nothing else.
pub(crate) fn needed<'a>(all: &Generics, types: impl Iterator<Item = &'a Type>) -> Generics {
    needed_with(all, types, &[])
}

/// The same, with these `constants`, which are named themselves.
pub(crate) fn needed_with<'a>(
    all: &Generics,
    types: impl Iterator<Item = &'a Type>,
    constants: &[&Ident],
) -> Generics {
    let mut names = Mentioned::default();
    types.for_each(|ty| names.visit_type(ty));
    constants.iter().for_each(|constant| names.visit_ident(constant));

    let dropped: BTreeSet<_> = all.params.iter().map(name).filter(|name| !names.0.contains(name)).collect();
    let stays = |visit: &dyn Fn(&mut Mentioned)| {
        let mut mentioned = Mentioned::default();
        visit(&mut mentioned);
        mentioned.0.is_disjoint(&dropped)
    };

    let mut kept = all.clone();
    kept.params = all.params.iter().filter(|param| !dropped.contains(&name(param))).cloned().collect();
    for param in kept.type_params_mut() {
        let bounds = std::mem::take(&mut param.bounds);
        param.bounds = bounds
            .into_iter()
            .filter(|bound| stays(&|search| search.visit_type_param_bound(bound)))
            .collect();
    }
    if let Some(clause) = &mut kept.where_clause {
        let predicates = std::mem::take(&mut clause.predicates);
        clause.predicates = predicates
            .into_iter()
            .filter(|rule| stays(&|search| search.visit_where_predicate(rule)))
            .collect();
    }
    kept
}

/// The type and const parameters.
pub(crate) fn names(generics: &Generics) -> impl Iterator<Item = &Ident> + Clone {
    generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    })
}

/// All of them but what is said of `name` itself.
pub(crate) fn without(all: &Generics, name: &Ident) -> Generics {
    let mut rest = all.clone();
    rest.params = all.params.iter().filter(|param| *name != self::name(param)).cloned().collect();
    if let Some(clause) = &mut rest.where_clause {
        let of_another = |rule: &WherePredicate| !matches!(rule, WherePredicate::Type(rule) if matches!(&rule.bounded_ty, Type::Path(path) if path.path.is_ident(name)));
        clause.predicates = clause.predicates.iter().filter(|rule| of_another(rule)).cloned().collect();
    }
    rest
}

/// `::<T, N>`: the type and const parameters, to be named in a call; lifetimes are always inferred.
pub(crate) fn turbofish(generics: &Generics) -> TokenStream {
    let names: Vec<_> = names(generics).collect();
    if names.is_empty() { TokenStream::new() } else { quote!(::<#(#names),*>) }
}

/// Lifetimes keep their apostrophe, which sets `'a` apart from a type `a`.
fn name(param: &GenericParam) -> String {
    match param {
        GenericParam::Lifetime(param) => param.lifetime.to_string(),
        GenericParam::Type(param) => param.ident.to_string(),
        GenericParam::Const(param) => param.ident.to_string(),
    }
}

#[derive(Default)]
struct Mentioned(BTreeSet<String>);

impl<'a> Visit<'a> for Mentioned {
    fn visit_ident(&mut self, ident: &'a Ident) {
        self.0.insert(ident.to_string());
        visit::visit_ident(self, ident);
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        self.0.insert(lifetime.to_string());
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;
    use syn::parse_quote;

    use super::*;

    fn needed_by(all: Generics, ty: Type) -> String {
        let kept = needed(&all, std::iter::once(&ty));
        let clause = &kept.where_clause;
        quote!(#kept #clause).to_token_stream().to_string()
    }

    #[test]
    fn keeps_what_the_types_speak_of() {
        let all: Generics = parse_quote!(<'a, D: Db, T: KeyPart + From<D>, const N: usize>);
        assert_eq!(needed_by(all.clone(), parse_quote!(T)), "< T : KeyPart >");
        assert_eq!(needed_by(all.clone(), parse_quote!(&'a [u8; N])), "< 'a , const N : usize >");
        assert_eq!(needed_by(all, parse_quote!(u64)), "");
    }

    #[test]
    fn keeps_the_predicates_that_speak_of_nothing_else() {
        let mut all: Generics = parse_quote!(<D, T>);
        all.where_clause = parse_quote!(where T: KeyPart, D: Load<T>);
        assert_eq!(needed_by(all, parse_quote!(T)), "< T > where T : KeyPart");
    }
}
