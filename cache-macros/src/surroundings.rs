//! Whether a function stands in an `impl`, which its tokens do not tell: read off the source, by its indentation.
//!
//! Only where the expansion could not compile is this asked, to say why in one error. Where the source is not at hand, or
//! not indented as rustfmt does, the compiler says it in several.

use proc_macro2::Span;
use syn::{Error, ItemFn, Result, Visibility};

use crate::model::Home;

/// What the `impl` around a function is for.
#[derive(Debug, Eq, PartialEq)]
enum Block {
    Inherent,
    OfTrait,
}

/// Refuses a function that needs `#[cached]` on the `impl` around it.
pub(crate) fn check(function: &ItemFn, home: Home) -> Result<()> {
    if !matches!(function.vis, Visibility::Inherited) && home == Home::Method {
        return Ok(());
    }
    let message = match (block(), home) {
        (Some(Block::OfTrait), _) => {
            "the `impl` of a trait has no room for companions: write `#[cached]` on the `impl` too, \
             and they will stand beside it"
        }
        (Some(Block::Inherent), Home::Free) => {
            "without `self` or `Self` this function looks like a free one: write `#[cached]` on the `impl` too"
        }
        _ => return Ok(()),
    };
    Err(Error::new(Span::call_site(), message))
}

/// The `impl` around the attribute that is expanded.
fn block() -> Option<Block> {
    if !proc_macro::is_available() {
        return None;
    }
    let attribute = proc_macro::Span::call_site();
    let source = std::fs::read_to_string(attribute.local_file()?).ok()?;
    around(&source, attribute.line())
}

/// The `impl` around the line numbered `line`, from 1.
fn around(source: &str, line: usize) -> Option<Block> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let before: Vec<_> = source.lines().take(line).filter(|line| !line.trim().is_empty()).collect();
    let (attribute, before) = before.split_last()?;
    // The nearest line that stands further left ends the head of the block.
    let last = before.iter().rposition(|line| indent(line) < indent(attribute))?;
    let level = indent(before[last]);
    let mut head = String::new();
    for line in before[..=last].iter().rev() {
        head = format!("{} {head}", line.trim());
        if indent(line) > level || ["{", "where", ">"].iter().any(|part| line.trim().starts_with(part)) {
            continue;
        }
        let starts = line.trim().starts_with("impl ") || line.trim().starts_with("impl<");
        let of_trait = head.contains(" for ");
        return starts.then_some(if of_trait { Block::OfTrait } else { Block::Inherent });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_head_of_the_block() {
        let around = |source: &str| around(source, source.lines().count());
        assert_eq!(around("impl A {\n    fn a() {}\n\n    #[cached]"), Some(Block::Inherent));
        assert_eq!(around("impl<T> A for B<T>\nwhere\n    T: C,\n{\n    #[cached]"), Some(Block::OfTrait));
        assert_eq!(
            around("impl B<\n    A,\n>\nwhere\n    T: for<'a> C<'a>,\n{\n    #[cached]"),
            Some(Block::Inherent)
        );
        assert_eq!(around("mod a {\n    #[cached]"), None);
        assert_eq!(around("impl A {\n    fn a() {\n        #[cached]"), None);
        assert_eq!(around("impl A {}\n#[cached]"), None);
        assert_eq!(around("trait A {\n    #[cached]"), None);
        assert_eq!(around("#[cached]"), None);
    }
}
