//! The arguments of a cached function, whole or taken apart.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Error, FnArg, Ident, Pat, Result, Type,
    visit_mut::{self, VisitMut},
};

use crate::mentions;

/// See the module.
#[derive(Clone)]
pub(crate) struct Argument {
    /// Its name in every signature of ours.
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// The names by which the attribute may speak of it: its own, or those that its pattern gives to its parts.
    pub(crate) bindings: Vec<Ident>,
    /// How it is taken apart, if it is.
    pattern: Option<Pat>,
}

impl Argument {
    pub(crate) fn parse(index: usize, input: &FnArg) -> Result<Option<Self>> {
        let FnArg::Typed(typed) = input else { return Ok(None) };
        let ty = (*typed.ty).clone();
        Ok(Some(match &*typed.pat {
            Pat::Ident(pat) if pat.subpat.is_none() => {
                if let Some(word) = &pat.by_ref {
                    let message = "take the argument without `ref`, and borrow it in the body";
                    return Err(Error::new_spanned(word, message));
                }
                Self { name: pat.ident.clone(), ty, bindings: vec![pat.ident.clone()], pattern: None }
            }
            pattern => Self {
                name: format_ident!("__argument{index}"),
                ty,
                bindings: mentions::bindings(pattern),
                pattern: Some(pattern.clone()),
            },
        }))
    }

    pub(crate) fn is_taken_apart(&self) -> bool {
        self.pattern.is_some()
    }

    /// Names those of its parts that are `wanted`, by reference; nothing for an argument that has a name.
    pub(crate) fn take_apart(&self, wanted: impl Fn(&Ident) -> bool) -> Option<TokenStream> {
        let mut pattern = self.pattern.clone()?;
        let wanted: Vec<_> = self.bindings.iter().filter(|binding| wanted(binding)).cloned().collect();
        if wanted.is_empty() {
            return None;
        }
        ByReference { wanted: &wanted }.visit_pat_mut(&mut pattern);
        let name = &self.name;
        Some(quote!(let #pattern = &#name;))
    }
}

/// Makes a pattern one that borrows: without `mut`, `ref` and `&`, which the binding mode then stands for. What is
/// not wanted is not named, lest it be unused.
struct ByReference<'w> {
    wanted: &'w [Ident],
}

impl VisitMut for ByReference<'_> {
    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        while let Pat::Reference(reference) = pattern {
            *pattern = (*reference.pat).clone();
        }
        if let Pat::Ident(pat) = pattern {
            (pat.by_ref, pat.mutability) = (None, None);
            match &pat.subpat {
                None if !self.wanted.contains(&pat.ident) => *pattern = syn::parse_quote!(_),
                Some((_, inner)) if !self.wanted.contains(&pat.ident) => {
                    *pattern = (**inner).clone();
                    return self.visit_pat_mut(pattern);
                }
                _ => {}
            }
        }
        visit_mut::visit_pat_mut(self, pattern);
    }

    fn visit_field_pat_mut(&mut self, field: &mut syn::FieldPat) {
        visit_mut::visit_field_pat_mut(self, field);
        // `Page { number }` binds by the field's name only as long as it binds.
        if !matches!(&*field.pat, Pat::Ident(_)) {
            field.colon_token.get_or_insert_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn taken_apart(input: FnArg, wanted: &[&str]) -> Option<String> {
        let argument = Argument::parse(0, &input).expect("an argument")?;
        argument
            .take_apart(|name| wanted.iter().any(|wanted| name == wanted))
            .map(|tokens| tokens.to_string().replace(' ', ""))
    }

    #[test]
    fn borrows_what_is_wanted() {
        assert_eq!(taken_apart(parse_quote!(id: u64), &["id"]), None);
        assert_eq!(taken_apart(parse_quote!((a, b): (u8, u8)), &[]), None);
        let tuple = taken_apart(parse_quote!((mut a, &b): (u8, &u8)), &["a", "b"]);
        assert_eq!(tuple.as_deref(), Some("let(a,b)=&__argument0;"));
        let page = taken_apart(parse_quote!(Page { number, ref size, .. }: Page), &["number"]);
        assert_eq!(page.as_deref(), Some("letPage{number,size:_,..}=&__argument0;"));
    }
}
