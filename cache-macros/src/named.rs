//! Names for what a signature may leave nameless, lifetimes and `impl Trait`, for where it may not.

use proc_macro2::Span;
use quote::format_ident;
use syn::{
    GenericParam, Generics, Lifetime, LifetimeParam, ParenthesizedGenericArguments, Type, TypeBareFn,
    TypeGroup, TypeReference, WherePredicate, parse_quote, token,
    visit_mut::{self, VisitMut},
};

/// Gives a name to each lifetime and `impl Trait` in `types`, which `generics` then declare.
pub(crate) fn name(types: &mut [Type], generics: &mut Generics) {
    let mut nameless = Nameless::default();
    types.iter_mut().for_each(|ty| nameless.visit_type_mut(ty));
    for lifetime in nameless.lifetimes.into_iter().rev() {
        generics.params.insert(0, GenericParam::Lifetime(LifetimeParam::new(lifetime)));
    }
    generics.params.extend(nameless.types);
    generics.make_where_clause().predicates.extend(nameless.outlives);
}

#[derive(Default)]
struct Nameless {
    lifetimes: Vec<Lifetime>,
    types: Vec<GenericParam>,
    /// What a signature implies, and a bound does not.
    outlives: Vec<WherePredicate>,
}

impl Nameless {
    fn lifetime(&mut self, place: Span) -> Lifetime {
        let lifetime = Lifetime::new(&format!("'__larder_{}", self.lifetimes.len()), place);
        self.lifetimes.push(lifetime.clone());
        lifetime
    }
}

impl VisitMut for Nameless {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        if let Type::ImplTrait(found) = ty {
            let (name, bounds) = (format_ident!("__Impl{}", self.types.len()), &found.bounds);
            self.types.push(parse_quote!(#name: #bounds));
            *ty = parse_quote!(#name);
        }
        // `&(impl A + B)` needed them; `&A` does not.
        if let Type::Paren(paren) = ty
            && matches!(&*paren.elem, Type::Path(_))
        {
            *ty = (*paren.elem).clone();
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        let and = reference.and_token.span;
        let lifetime = reference.lifetime.get_or_insert_with(|| self.lifetime(and)).clone();
        visit_mut::visit_type_reference_mut(self, reference);
        let elem = match &*reference.elem {
            // `&(A + B)` needs the parentheses, but a lint would say that `(A + B): 'a` does not.
            Type::Paren(paren) => {
                &Type::Group(TypeGroup { group_token: token::Group::default(), elem: paren.elem.clone() })
            }
            elem => elem,
        };
        self.outlives.push(parse_quote!(#elem: #lifetime));
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        if lifetime.ident == "_" {
            *lifetime = self.lifetime(lifetime.apostrophe);
        }
    }

    // What a function takes and returns has lifetimes of its own.
    fn visit_type_bare_fn_mut(&mut self, _: &mut TypeBareFn) {}
    fn visit_parenthesized_generic_arguments_mut(&mut self, _: &mut ParenthesizedGenericArguments) {}
}

#[cfg(test)]
mod tests {
    use quote::{ToTokens, quote};

    use super::*;

    #[test]
    fn names_lifetimes_and_types() {
        let mut generics: Generics = parse_quote!(<'a, T>);
        let mut types: [Type; 2] = [parse_quote!(&Db<'_>), parse_quote!(Vec<&'a (impl Fn(&u8) + Send)>)];
        name(&mut types, &mut generics);
        let [db, other] = types.map(|ty| ty.to_token_stream().to_string());
        assert_eq!((&*db, &*other), ("& '__larder_0 Db < '__larder_1 >", "Vec < & 'a __Impl0 >"));
        let clause = &generics.where_clause;
        assert_eq!(
            quote!(#generics #clause).to_string(),
            "< '__larder_0 , '__larder_1 , 'a , T , __Impl0 : Fn (& u8) + Send > where Db < '__larder_1 > : '__larder_0 , __Impl0 : 'a"
        );
    }
}
