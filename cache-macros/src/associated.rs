//! `Self::Error` of a trait's `impl`, spelled out for where the trait is not at hand.

use std::collections::BTreeSet;

use syn::{
    ExprPath, ImplItem, ItemFn, ItemImpl, Path, QSelf, TypePath, parse_quote,
    visit_mut::{self, VisitMut},
};

/// Spells out in `function` what `block` associates with its type.
pub(crate) fn spell_out(function: &mut ItemFn, block: &ItemImpl) {
    let Some((_, of, _)) = &block.trait_ else { return };
    let names = block.items.iter().filter_map(|item| match item {
        ImplItem::Type(item) => Some(item.ident.to_string()),
        ImplItem::Const(item) => Some(item.ident.to_string()),
        _ => None,
    });
    SpellOut { of, names: names.collect() }.visit_item_fn_mut(function);
}

struct SpellOut<'b> {
    of: &'b Path,
    names: BTreeSet<String>,
}

impl SpellOut<'_> {
    fn spell_out(&self, qself: &mut Option<QSelf>, path: &mut Path) {
        let mut segments = path.segments.iter();
        let (first, second) = (segments.next(), segments.next());
        if qself.is_none()
            && first.is_some_and(|first| first.ident == "Self")
            && second.is_some_and(|second| self.names.contains(&second.ident.to_string()))
        {
            let (of, rest) = (self.of, path.segments.iter().skip(1));
            let spelled: TypePath = parse_quote!(<Self as #of>::#(#rest)::*);
            (*qself, *path) = (spelled.qself, spelled.path);
        }
    }
}

impl VisitMut for SpellOut<'_> {
    fn visit_type_path_mut(&mut self, ty: &mut TypePath) {
        self.spell_out(&mut ty.qself, &mut ty.path);
        visit_mut::visit_type_path_mut(self, ty);
    }

    fn visit_expr_path_mut(&mut self, expr: &mut ExprPath) {
        self.spell_out(&mut expr.qself, &mut expr.path);
        visit_mut::visit_expr_path_mut(self, expr);
    }
}
